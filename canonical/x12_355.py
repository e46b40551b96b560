"""X12 element 355 (Unit or Basis for Measurement Code) beside Recommendation 20, as data.

Element 355 of releases 004010 to 005010. Many of its codes look like a package code of
Recommendation 21 and mean something else, so nothing passes through untranslated: `PL` is a pallet
here and a pail there, `PA` a pail and a packet, `BA` a bale and a barrel, `CN` a can and a
container. `CS` is a cassette, though some senders write it for a case: only their own mapping may
read it so.
"""

from __future__ import annotations

PREFERRED: dict[str, str] = {
    # Counts.
    "EA": "EA",  # Each
    "PC": "H87",  # Piece
    "UN": "C62",  # Unit
    "PR": "PR",  # Pair
    "DZ": "DZN",  # Dozen
    "DP": "DPR",  # Dozen pair
    "GS": "GRO",  # Gross
    "GG": "GGR",  # Great gross
    "HU": "CEN",  # Hundred
    "HC": "HC",  # Hundred count
    "HB": "HBX",  # Hundred boxes
    "TH": "MIL",  # Thousand
    "T3": "T3",  # Thousand pieces
    "TP": "TP",  # Ten-pack
    "P5": "P5",  # Five-pack
    "ST": "SET",  # Set
    "PH": "NMP",  # Pack (PAK)
    "N7": "NPT",  # Parts
    "AS": "AS",  # Assortment
    "AY": "AY",  # Assembly
    "LO": "LO",  # Lot
    "LR": "LR",  # Layer
    "LN": "LN",  # Length
    "LS": "LS",  # Lump sum
    "NL": "NL",  # Load
    "SX": "SX",  # Shipment
    "5B": "5B",  # Batch
    "10": "10",  # Group
    "11": "11",  # Outfit
    "13": "13",  # Ration
    "14": "14",  # Shot
    "AA": "AA",  # Ball
    "AB": "AB",  # Bulk pack
    "BB": "BB",  # Base box
    "BK": "D63",  # Book
    "CG": "CG",  # Card
    "HA": "HA",  # Hank
    "SW": "SW",  # Skein
    "SR": "SR",  # Strip
    "OA": "OA",  # Panel
    "PD": "PD",  # Pad
    "QR": "QR",  # Quire
    "RM": "RM",  # Ream
    "ZP": "ZP",  # Page
    "15": "STC",  # Stick
    "U2": "U2",  # Tablet
    "SZ": "SYR",  # Syringe
    "Q3": "Q3",  # Meal
    "X5": "HEA",  # Head
    "X7": "LEF",  # Leaf
    "P1": "P1",  # Percent
    # Masses.
    "KG": "KGM",  # Kilogram
    "GR": "GRM",  # Gram
    "ME": "MGM",  # Milligram
    "MC": "MC",  # Microgram
    "AF": "CGM",  # Centigram
    "DG": "DG",  # Decigram
    "DJ": "DJ",  # Decagram
    "HG": "HGM",  # Hectogram
    "58": "58",  # Net kilograms
    "GT": "GT",  # Gross kilogram
    "HK": "DTN",  # Hundred kilograms
    "MP": "TNE",  # Metric ton
    "LB": "LBR",  # Pound
    "24": "24",  # Theoretical pounds
    "OZ": "ONZ",  # Ounce, avoirdupois
    "TO": "APZ",  # Troy ounce
    "TX": "LBT",  # Troy pound
    "WP": "DWT",  # Pennyweight
    "GX": "GRN",  # Grain
    "CD": "CTM",  # Carat
    "CW": "CWA",  # Hundred pounds (CWT)
    "HW": "CWI",  # Hundredweight (long)
    "TN": "STN",  # Net ton (2,000 lb)
    "LG": "LTN",  # Long ton
    # Lengths.
    "MR": "MTR",  # Meter
    "CM": "CMT",  # Centimeter
    "MM": "MMT",  # Millimeter
    "DM": "DMT",  # Decimeter
    "4H": "4H",  # Micrometer
    "DK": "KMT",  # Kilometers
    "FT": "FOT",  # Foot
    "IN": "INH",  # Inch
    "YD": "YRD",  # Yard
    "DH": "SMI",  # Miles
    "NM": "NMI",  # Nautical mile
    "T2": "77",  # Thousandths of an inch
    "LF": "LF",  # Linear foot
    "LM": "LM",  # Linear meter
    "LY": "LY",  # Linear yard
    "LK": "LK",  # Link
    "RD": "F49",  # Rod
    "AK": "AK",  # Fathom
    # Areas.
    "SF": "FTK",  # Square foot
    "SI": "INK",  # Square inch
    "SY": "YDK",  # Square yard
    "SM": "MTK",  # Square meter
    "SC": "CMK",  # Square centimeter
    "D3": "DMK",  # Square decimeter
    "MS": "MMK",  # Square millimeter
    "8U": "KMK",  # Square kilometer
    "SB": "MIK",  # Square mile
    "AC": "ACR",  # Acre
    "SQ": "SQR",  # Square: in building supply, 100 square feet of roofing
    # Volumes.
    "LT": "LTR",  # Liter
    "ML": "MLT",  # Milliliter
    "C3": "CLT",  # Centiliter
    "DL": "DLT",  # Deciliter
    "H4": "HLT",  # Hectoliter
    "K6": "K6",  # Kiloliter
    "4G": "4G",  # Microliter
    "CR": "MTQ",  # Cubic meter
    "CC": "CMQ",  # Cubic centimeter
    "C8": "DMQ",  # Cubic decimeter
    "CF": "FTQ",  # Cubic feet
    "CI": "INQ",  # Cubic inches
    "CY": "YDQ",  # Cubic yard
    "HH": "HH",  # Hundred cubic feet
    "TZ": "FC",  # Thousand cubic feet
    "GA": "GLL",  # Gallon
    "GI": "GLI",  # Imperial gallons
    "WG": "WG",  # Wine gallon
    "QT": "QTL",  # Quart
    "QS": "QTD",  # Quart, dry US
    "QU": "QTI",  # Quart, imperial
    "PT": "PTL",  # Pint
    "Q2": "PTD",  # Pint, US dry
    "PX": "PTI",  # Pint, imperial
    "FO": "OZA",  # Fluid ounce
    "FZ": "OZI",  # Fluid ounce (imperial)
    "PY": "G23",  # Peck, dry US
    "BU": "BUA",  # Bushel
    "BV": "BUI",  # Bushel, dry imperial
    "Y2": "G24",  # Tablespoon
    "Y3": "G25",  # Teaspoon
    "BF": "BFT",  # Board feet
    "BP": "BP",  # 100 board feet
    "TM": "MBF",  # Thousand feet (board)
    "8C": "M68",  # Cord
    # Times, temperatures, energy, transport equipment.
    "HR": "HUR",  # Hours
    "LH": "LH",  # Labor hours
    "MJ": "MIN",  # Minutes
    "03": "SEC",  # Seconds
    "DA": "DAY",  # Days
    "WK": "WEE",  # Week
    "MO": "MON",  # Months
    "Q1": "QAN",  # Quarter (time)
    "YR": "ANN",  # Years
    "CE": "CEL",  # Centigrade, Celsius
    "FA": "FAH",  # Fahrenheit
    "KH": "KWH",  # Kilowatt hour
    "20": "20",  # 20 foot container
    "21": "21",  # 40 foot container
    # Packages.
    "CA": "XCS",  # Case
    "CT": "XCT",  # Carton
    "BX": "XBX",  # Box
    "PK": "XPK",  # Package
    "12": "XPA",  # Packet
    "PL": "XPX",  # Pallet/unit load
    "SV": "XSI",  # Skid
    "S9": "XSL",  # Slip sheet
    "CP": "XCR",  # Crate
    "BG": "XBG",  # Bag
    "43": "X43",  # Super bulk bag
    "SJ": "XSA",  # Sack
    "V2": "XPO",  # Pouch
    "EV": "XEN",  # Envelope
    "BD": "XBE",  # Bundle
    "X2": "XBH",  # Bunch
    "BA": "XBL",  # Bale: traded bales are compressed
    "BR": "XBA",  # Barrel
    "DR": "XDR",  # Drum
    "KE": "XKG",  # Keg
    "Z3": "XCK",  # Cask
    "Z4": "XHG",  # Hogshead
    "PA": "XPL",  # Pail
    "BC": "XBJ",  # Bucket
    "Y4": "XTB",  # Tub
    "BO": "XBO",  # Bottle
    "CB": "XCO",  # Carboy
    "JR": "XJR",  # Jar
    "JU": "XJG",  # Jug
    "CN": "XCX",  # Can: most are cylindrical
    "CU": "XCU",  # Cup
    "CL": "XCY",  # Cylinder
    "CQ": "XCQ",  # Cartridge
    "TB": "XTU",  # Tube
    "VI": "XVI",  # Vial
    "AM": "XAM",  # Ampoule
    "AV": "XAV",  # Capsule
    "CH": "XCN",  # Container
    "2W": "XBI",  # Bin
    "BS": "XBK",  # Basket
    "TY": "XPU",  # Tray
    "Z2": "XCH",  # Chest
    "Z5": "XLU",  # Lug
    "Z1": "XLV",  # Lift van
    "RA": "XRK",  # Rack
    "KT": "XKI",  # Kit: in distribution, articles that belong together
    "DS": "XIE",  # Display
    "RL": "XRO",  # Roll
    "RE": "XRL",  # Reel
    "SO": "XSO",  # Spool
    "4A": "XBB",  # Bobbin
    "CJ": "XAJ",  # Cone
    "CX": "XCL",  # Coil
    "BM": "XBT",  # Bolt
    "SH": "XST",  # Sheet
    "SL": "XSY",  # Sleeve
    "PP": "XPG",  # Plate
    "M3": "XMT",  # Mat
    "B8": "XBD",  # Board
    "BI": "XBR",  # Bar
    "BL": "XOK",  # Block
    "RG": "XRG",  # Ring
    "CV": "XCV",  # Cover
}
"""X12 code -> Rec 20 code, one to one: the pairs that go both ways."""

SYNONYMS: dict[str, str] = {
    "1N": "C62",  # Count
    "01": "LBR",  # Actual pounds
    "02": "SMI",  # Statute mile
    "26": "STN",  # Actual tons
    "50": "KGM",  # Actual kilograms
    "51": "TNE",  # Actual tonnes
    "HV": "CWA",  # Hundredweight (short)
    "NS": "STN",  # Short ton
    "TG": "LTN",  # Gross ton
    "TV": "TNE",  # Thousand kilograms
    "DW": "DAY",  # Calendar days
    "FC": "FC",  # 1000 cubic feet
    "MH": "4H",  # Microns
    "PF": "XPX",  # Pallet (lift)
}
"""Further X12 codes that we read and never write."""

ONLY_FROM_REC20: dict[str, str] = {
    "DPC": "DZ",  # a dozen pieces
    "NAR": "EA",
    "KT": "KT",
    "SQ": "SQ",
    "XBN": "BA",
    "XCA": "CN",
    "XTN": "CN",
    "XUN": "UN",
    "XPC": "PK",  # parcel
    "XCM": "CG",  # card
}
"""Rec 20 codes that X12 has only a coarser word for."""
