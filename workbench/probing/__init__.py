"""Language and vision-language models asked about faces."""
