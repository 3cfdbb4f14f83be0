"""Any file of a release taken apart: what it is, its first bytes say, as at intake."""

from __future__ import annotations

from audit_pipeline.privacy.opened.image import firmware_sections, image_sections, is_image
from audit_pipeline.privacy.opened.keras_file import hdf5_sections, is_hdf5, is_zip, zip_sections
from audit_pipeline.privacy.opened.section import Section


def sections_of(name: str, data: bytes) -> tuple[Section, ...]:
    """Take apart a .tflite, .h5, .keras or MCUboot image; anything else is bytes that may hold models.

    Args:
        name: what the file is called in finds.
        data: the file. Damaged ones are searched as bytes; nothing is raised for what stands in them.
    """
    if is_hdf5(data):
        return hdf5_sections(name, data)
    if is_zip(data):
        return zip_sections(name, data)
    if is_image(data):
        return image_sections(name, data)
    return firmware_sections(name, data)
