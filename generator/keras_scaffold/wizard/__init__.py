"""The wizard that asks for a spec: what it asks (`flow`, `from_data`) and how (`questions`)."""
