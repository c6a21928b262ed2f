// What can go wrong with an output `http-ts` before it serves anybody.
import { defineErrors } from '@millrace/engine/plugin'

export const httpTsError = defineErrors({
  HTTP_TS_PREAMBLE_UNREADABLE: {
    sentence: 'The file that new viewers get first is missing or can not be read.',
    hint: 'Give `preamble` the path of a file that this user can read; it is relative to the YAML file.',
    reaction: 'config',
  },
  HTTP_TS_BAD_PREAMBLE: {
    sentence: 'The file that new viewers get first is no transport stream of whole packets.',
    hint: 'Its length is a multiple of 188 bytes, at most 16 MiB, and every packet begins with 0x47.',
    reaction: 'config',
  },
})
