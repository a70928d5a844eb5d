"""What one presses and fills in: buttons, forms, confirmations."""
