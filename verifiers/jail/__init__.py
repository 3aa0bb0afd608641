"""What `holdfast.verifiers.sandbox` is made of: the kernel's walls around a program, and what runs inside them."""
