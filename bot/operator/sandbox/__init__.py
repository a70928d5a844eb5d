"""What ties the bot to the sandbox: ``easel sandbox`` starts both."""
