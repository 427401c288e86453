"""Vision-language and language models over the OpenAI protocol."""
