"""Dead letters, as a person handles them."""
