"""What an account of a person has: sessions, a mail address and the letters to it."""
