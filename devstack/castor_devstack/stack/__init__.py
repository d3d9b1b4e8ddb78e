"""What the stack is made of: servers, the table of services, ports, certificates and secrets."""
