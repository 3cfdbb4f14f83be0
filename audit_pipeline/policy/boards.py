"""Boards whose flash and RAM are known, from their data sheets.

`flash_kib` is the flash the microcontroller runs from. `ram_kib` is the largest block of on-chip RAM, without a gap
in its addresses, that data may lie in: a tensor arena is one block. The firmware around the model needs some of both;
where that is known, `flash_kib` and `ram_kib` in the policy's target say what is left for the model.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.errors import InputError
from audit_pipeline.spelling import did_you_mean


@dataclass(frozen=True)
class Board:
    """What a model may take of a device."""

    id: str
    name: str
    mcu: str
    flash_kib: int
    ram_kib: int
    source: str
    """The documents the figures are from."""


_KNOWN = (
    Board(
        id="nucleo-l4r5zi",
        name="ST NUCLEO-L4R5ZI",
        mcu="STM32L4R5ZI (Cortex-M4F)",
        flash_kib=2048,
        ram_kib=640,
        source="ST DS12023: 2 Mbytes flash; 640 Kbytes SRAM (SRAM1 192, SRAM2 64, SRAM3 384, adjoining)",
    ),
    Board(
        id="nucleo-h743zi",
        name="ST NUCLEO-H743ZI2",
        mcu="STM32H743ZI (Cortex-M7)",
        flash_kib=2048,
        ram_kib=512,
        source="ST DS12110: 2 Mbytes flash; about 1 Mbyte RAM in several blocks, the largest the AXI SRAM, 512 Kbytes",
    ),
    Board(
        id="stm32f746-disco",
        name="ST 32F746GDISCOVERY",
        mcu="STM32F746NG (Cortex-M7)",
        flash_kib=1024,
        ram_kib=320,
        source="ST DS10916: 1 Mbyte flash; 320 Kbytes SRAM (64 of them data TCM, adjoining), 16 Kbytes ITCM aside",
    ),
    Board(
        id="nano-33-ble",
        name="Arduino Nano 33 BLE",
        mcu="nRF52840 (Cortex-M4F)",
        flash_kib=1024,
        ram_kib=256,
        source="Arduino ABX00030 data sheet; Nordic nRF52840 Product Specification: 1 MB flash, 256 kB RAM",
    ),
    Board(
        id="nrf52840-dk",
        name="Nordic nRF52840 DK (PCA10056)",
        mcu="nRF52840 (Cortex-M4F)",
        flash_kib=1024,
        ram_kib=256,
        source="Nordic nRF52840 Product Specification: 1 MB flash, 256 kB RAM",
    ),
    Board(
        id="nrf52-dk",
        name="Nordic nRF52 DK (PCA10040)",
        mcu="nRF52832 (Cortex-M4F)",
        flash_kib=512,
        ram_kib=64,
        source="Nordic nRF52832 Product Specification, variant QFAA: 512 kB flash, 64 kB RAM",
    ),
    Board(
        id="microbit-v2",
        name="BBC micro:bit V2",
        mcu="nRF52833 (Cortex-M4F)",
        flash_kib=512,
        ram_kib=128,
        source="Nordic nRF52833 Product Specification: 512 kB flash, 128 kB RAM",
    ),
    Board(
        id="rp2040",
        name="Raspberry Pi Pico",
        mcu="RP2040 (2 × Cortex-M0+)",
        flash_kib=2048,
        ram_kib=264,
        source="Raspberry Pi Pico and RP2040 data sheets: 2 MB QSPI flash on the board, 264 kB SRAM, adjoining",
    ),
    Board(
        id="rp2350",
        name="Raspberry Pi Pico 2",
        mcu="RP2350 (2 × Cortex-M33)",
        flash_kib=4096,
        ram_kib=520,
        source="Raspberry Pi Pico 2 and RP2350 data sheets: 4 MB QSPI flash on the board, 520 kB SRAM, adjoining",
    ),
    Board(
        id="esp32-s3",
        name="Espressif ESP32-S3-DevKitC-1-N8",
        mcu="ESP32-S3 (2 × Xtensa LX7)",
        flash_kib=8192,
        ram_kib=480,
        source="ESP32-S3 Series and ESP32-S3-WROOM-1 data sheets: 8 MB flash in module N8; 512 KB SRAM, of which the "
        "ESP32-S3 Technical Reference Manual gives 32 KB (SRAM0) to instructions alone",
    ),
)

BOARDS = {board.id: board for board in _KNOWN}
"""Every known board by its id."""


def find_board(board_id: str, where: str | None = None) -> Board:
    """The board of that id.

    Args:
        board_id: as the policy's target names it.
        where: the place that names it, for the error.

    Raises:
        InputError: no such board is known.
    """
    if board_id in BOARDS:
        return BOARDS[board_id]
    raise InputError(
        "policy.unknown-board",
        f"target.board: no board {board_id} is known{did_you_mean(board_id, BOARDS)}",
        where=where,
        hint=f"known are {', '.join(BOARDS)}; for any other, give flash_kib and ram_kib",
    )
