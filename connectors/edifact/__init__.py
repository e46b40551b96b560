"""EDIFACT: orders, despatch advices, invoices and reports as files, with their CONTRL and APERAK."""
