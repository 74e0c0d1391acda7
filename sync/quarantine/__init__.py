"""What was received and could not be applied: seen, tried again, given up by two people. The same at plant and hub."""
