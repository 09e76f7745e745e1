"""The terminal app: one screen that paints `loop.view.View` and sends the user's wishes back."""
