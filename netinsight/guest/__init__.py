"""What the guest's own kernel does with a packet, read from what the guest prints of itself."""
