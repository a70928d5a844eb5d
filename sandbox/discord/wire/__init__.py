"""What goes over sockets beside the REST API: the gateway, attachments, the log of it all and the official schemas."""
