"""A project's life after its first day: changing its spec or its template, around people's edits."""
