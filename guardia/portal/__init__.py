"""The pages of site managers and of everybody on a phone: file, list, detail, and the messages."""
