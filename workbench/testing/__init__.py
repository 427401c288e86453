"""Checks that ship: contract tests for plug-ins, and faults to try code against."""
