"""The HTTP side beyond webhooks: health, metrics, documents, threads, holds."""
