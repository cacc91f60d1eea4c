"""What the control plane and the program in the pod must agree on."""
