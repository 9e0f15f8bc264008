"""Makes the shipped arithmetic models: their tokenizer, their chats, their training."""
