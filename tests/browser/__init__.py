"""The widget in a real Chromium, against a real `loa serve` with two workers."""
