"""The store: how every room reaches Redis, and the Valkey that Loa brings along when nobody runs one."""
