// Errors of an output `http-ts` before it serves its first viewer.
import { defineErrors } from '@millrace/engine/plugin'

export const httpTsError = defineErrors({
  HTTP_TS_PREAMBLE_UNREADABLE: {
    sentence: 'The preamble file is missing or cannot be read.',
    hint: 'Set `preamble` to a file that the user running the engine can read. The path is relative to the YAML file.',
    reaction: 'config',
  },
  HTTP_TS_BAD_PREAMBLE: {
    sentence: 'The preamble file does not consist of whole transport stream packets.',
    hint: 'Its length must be a multiple of 188 bytes, at most 16 MiB, and every packet must begin with 0x47.',
    reaction: 'config',
  },
})
