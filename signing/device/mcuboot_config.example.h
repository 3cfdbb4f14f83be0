/* What MCUboot 2.4 must be told for sealed images: the part of mcuboot_config/mcuboot_config.h that matters here.
 *
 * Say what the images are made with: AUDIT_SIGNER_P256 or else Ed25519, AUDIT_RECIPIENT_P256 or else X25519,
 * AUDIT_AES_256 or else AES-128; AUDIT_VENDOR where they name vendor and class. Flash map, swap mode, logging and watchdog
 * are the board's own affair. Why each line: README.md.
 */
#ifndef AUDIT_MCUBOOT_CONFIG_H
#define AUDIT_MCUBOOT_CONFIG_H

/* The signature is over the SHA-256 of the image: never MCUBOOT_SIGN_PURE. */
#ifdef AUDIT_SIGNER_P256
#define MCUBOOT_SIGN_EC256 /* TLV 0x22 */
#else
#define MCUBOOT_SIGN_ED25519 /* TLV 0x24 */
#endif
#define MCUBOOT_SHA256

/* HMAC is with SHA-256: never MCUBOOT_HMAC_SHA512. */
#define MCUBOOT_ENC_IMAGES
#ifdef AUDIT_RECIPIENT_P256
#define MCUBOOT_ENCRYPT_EC256 /* TLV 0x32 */
#else
#define MCUBOOT_ENCRYPT_X25519 /* TLV 0x33 */
#endif
#ifdef AUDIT_AES_256
#define MCUBOOT_AES_256 /* flag 0x8 */
#else
#define MCUBOOT_AES_128 /* flag 0x4 */
#endif

#if defined(AUDIT_SIGNER_P256) != defined(AUDIT_RECIPIENT_P256)
#warning "MCUboot's own tests build P-256 with P-256 and Ed25519 with X25519 only; Zephyr's Kconfig allows nothing else"
#endif

/* Unprotected TLVs: those that MCUboot knows, and no others. */
#define MCUBOOT_USE_TLV_ALLOW_LIST 1

/* An image is checked at every boot, not only when it is installed. */
#define MCUBOOT_VALIDATE_PRIMARY_SLOT

/* A security counter below the stored one is refused; the board supplies boot_nv_security_counter_*. */
#define MCUBOOT_HW_ROLLBACK_PROT

/* Vendor and device class; the board supplies boot_uuid_vid_match and boot_uuid_cid_match. */
#ifdef AUDIT_VENDOR
#define MCUBOOT_UUID_VID
#define MCUBOOT_UUID_CID
#endif

/* With swap and a slot in external flash: the wrapped key is kept there, not the plain one. */
#define MCUBOOT_SWAP_SAVE_ENCTLV 1

/* The payload is a model, not code: image 1 with a pair of slots of its own. Image 0 is what is booted. */
#define MCUBOOT_IMAGE_NUMBER 2

#endif
