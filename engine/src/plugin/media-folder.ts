// A folder of large files that a node keeps on a disk, and sends in answer to requests: segments, for example. Nothing here
// blocks the event loop, and the engine bounds how much is read at once, whatever the number of viewers. Names are relative
// to the folder: one file name, or one folder and a file name, each of 1 to 128 characters of `A-Z a-z 0-9 . _ -` that
// begins with a letter or a digit, without `..`. Calls reject with STORE_NAME or STORE_FAILED; the system's error is the
// cause.
import type { KeptMedia } from './media-memory.js'

export interface MediaFolder {
  /** Absolute. */
  readonly path: string
  /** Names of the files and folders in it, or in a folder of it; none if that is missing. Unfinished files are left out. */
  list(folder?: string): Promise<readonly string[]>
  /** Bytes of a file; undefined if there is none. */
  size(name: string): Promise<number | undefined>
  /**
   * Writes a file whole, in a folder that is created if need be: it appears when it is complete. A file of that name is
   * replaced. After a power cut the newest files may be missing, or shorter.
   */
  write(name: string, media: KeptMedia): Promise<void>
  /** Makes a file of another folder a file of this one too: by a hard link, or by a copy where the disks differ. */
  adopt(name: string, from: MediaFolder): Promise<void>
  /** Adds to the end of a file, which is created if need be. If it rejects, a part may have been written. */
  append(name: string, bytes: Uint8Array): Promise<void>
  /** Part of a file, at most 1 MiB; shorter at its end, empty if there is none. */
  read(name: string, from: number, length: number): Promise<Uint8Array>
  /**
   * A file that is there, for sending: ranges are read while they are sent, each file is opened once however many viewers
   * it has, and `release` does nothing. It is not looked at before it is sent.
   */
  media(name: string, length: number): KeptMedia
  /** Removes a file, or a folder with its files. What is being sent goes on. Nothing happens if it is missing. */
  remove(name: string): Promise<void>
}
