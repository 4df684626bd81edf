"""Tell a customer's life: what each second changed, and by which rule."""
