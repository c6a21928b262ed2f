// Plays a URL with the real VLC 3, without a display or sound, and reads in its log what it asks for.
import process from 'node:process'
import { Child } from '../../e2e/kit/child.js'

/** Of its HTTP client for playlists in parts. */
const ASKED = /Retrieving (\S+\.ts)\b/
const PLAYED = /Received first picture/
/** Those of `nobody` and `nogroup`. */
const NOBODY = { SUDO_UID: '65534', SUDO_GID: '65534' }

export class VlcReader implements AsyncDisposable {
  readonly #child: Child

  constructor(url: string, folder: string) {
    const outputs = ['--intf=dummy', '--vout=dummy', '--aout=dummy', '--no-video-title-show']
    // VLC refuses root; its wrapper gives that up.
    const env = process.getuid?.() === 0 ? NOBODY : {}
    this.#child = new Child('vlc-wrapper', ['-vvv', ...outputs, '--play-and-exit', url], { cwd: folder, env })
  }

  /** The first segment that it asks for: its name. */
  async firstSegment(): Promise<string> {
    const [, url = ''] = await this.#child.untilStderr(ASKED)
    return url.slice(url.lastIndexOf('/') + 1)
  }

  /** Resolves when it shows a picture. */
  async plays(): Promise<void> {
    await this.#child.untilStderr(PLAYED)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
  }
}
