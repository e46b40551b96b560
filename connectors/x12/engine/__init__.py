"""The X12 engine: bytes to segments to trees and back, with every fault named and placed."""
