/** Why a chunk stream can not be read any further. */
export type ChunkProblem =
  | 'message too long'
  | 'unfinished messages too long'
  | 'too many chunk streams'
  | 'chunk size out of range'
  | 'no message header on its chunk stream'
