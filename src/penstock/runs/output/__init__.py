"""What is shown of operations: text, JSON, a Mermaid sequence diagram, OTLP."""
