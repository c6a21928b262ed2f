// Where a decoder of MPEG-1 or MPEG-2 video can start, ISO/IEC 13818-2 6.1.1.6: at an I picture behind a sequence
// header. A GOP header announces such a picture as well: then the sequence header may have been sent earlier.

import { ANNOUNCEMENT, EXTENSION, OTHER, PARAMETER_SET, PICTURE } from '../mpegts/picture-rules.js'
import { setKeyOf } from '../mpegts/picture-rules.js'
import type { PictureRules } from '../mpegts/picture-rules.js'

/** Start code values, table 6-1. */
const PICTURE_HEADER = 0x00
const SEQUENCE_HEADER = 0xb3
const EXTENSION_START = 0xb5
const GROUP = 0xb8
/** extension_start_code_identifier, table 6-2: sequence, sequence display, sequence scalable. */
const SEQUENCE_EXTENSIONS: ReadonlySet<number> = new Set([1, 2, 5])
/** picture_coding_type, table 6-12. */
const I_PICTURE = 1

const SEQUENCE_CLASS = 1
const EXTENSION_CLASS = 2

export const MPEG2_RULES: PictureRules = {
  kindOf(first) {
    if (first === PICTURE_HEADER) return PICTURE
    if (first === SEQUENCE_HEADER) return PARAMETER_SET
    if (first === EXTENSION_START) return EXTENSION
    return first === GROUP ? ANNOUNCEMENT : OTHER
  },
  // picture_start_code, temporal_reference, picture_coding_type.
  headBytes: 3,
  pictureBytes: 3,
  beginsPicture: () => true,
  isKey: () => false,
  isIntra: (unit, length) => length > 2 && ((unit[2]! >>> 3) & 7) === I_PICTURE,
  announces: () => true,
  announcesInter: false,
  setKey(unit, length) {
    if (unit[0] === SEQUENCE_HEADER) return setKeyOf(SEQUENCE_CLASS, 0)
    const extension = length > 1 ? unit[1]! >>> 4 : -1
    return SEQUENCE_EXTENSIONS.has(extension) ? setKeyOf(EXTENSION_CLASS, extension) : -1
  },
  setParent: (unit) => (unit[0] === EXTENSION_START ? setKeyOf(SEQUENCE_CLASS, 0) : -1),
  neededClasses: [SEQUENCE_CLASS],
}
