"""The routes: one router a file; app.py puts them together."""
