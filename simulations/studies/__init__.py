"""Many runs from one request, and what may be said of them."""
