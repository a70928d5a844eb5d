"""The use cases: what Easel does with people, money, pictures and time. No foreign library but asyncio."""
