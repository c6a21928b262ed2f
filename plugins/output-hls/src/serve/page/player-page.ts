// The player page of an output: its text, which says what this channel has, and the answers to requests for it and for
// its files.
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { ListedPath, Track } from '@millrace/engine/plugin'
import { DVR } from '../../history/long-uris.js'
import { type Exchange, respondText } from '../exchange.js'
import { PlaylistText } from '../playlist-text.js'
import { sendPageFile, sendPageText } from './send-page.js'
import { type PageFiles, readPageFiles } from './page-files.js'
import type { PageLook } from './page-options.js'

/** The folder below that of the output in which the files of the page are. */
export const PAGE_FOLDER = 'page/'

interface PageParts {
  readonly look: PageLook
  readonly files: PageFiles
  /** Name of the pipeline. */
  readonly pipeline: string
}

/** What the text says about the output now. */
export interface PageContent {
  /** Path of the multivariant playlist. */
  readonly path: string
  /** There are long playlists, in which viewers can go back. */
  readonly hasLong: boolean
  /** Access providers of the output. */
  readonly auth: readonly string[]
  readonly tracks: readonly Pick<Track, 'media' | 'codec'>[]
  /** What else the pipeline serves on the listener. */
  readonly siblings: readonly ListedPath[]
}

/** A page, and what it is about. */
export interface ServedPage {
  readonly page: PlayerPage
  content(): PageContent
}

export class PlayerPage {
  readonly #parts: PageParts
  readonly #policy: string
  #text: PlaylistText | undefined

  /** Throws HLS_PAGE_IMAGE. */
  static async open(look: PageLook, pipeline: string): Promise<PlayerPage> {
    return new PlayerPage({ look, files: await readPageFiles(look), pipeline })
  }

  private constructor(parts: PageParts) {
    this.#parts = parts
    this.#policy = policyOf(parts.look)
  }

  /** The page itself. */
  send({ request, response, toFolder }: Exchange, content: PageContent): unknown {
    return sendPageText(request, response, { text: this.#render(content, toFolder !== ''), policy: this.#policy })
  }

  /** `name`: what follows PAGE_FOLDER in the path. */
  sendFile(exchange: Exchange, name: string): unknown {
    const { hash, byName } = this.#parts.files
    const file = name.startsWith(`${hash}/`) ? byName.get(name.slice(hash.length + 1)) : undefined
    if (file === undefined) return respondText(exchange, 404, 'the page has no such file')
    return sendPageFile(exchange.request, exchange.response, { file, tag: name })
  }

  /** The same object as long as the text is the same. */
  #render(content: PageContent, isInGrantFolder: boolean): PlaylistText {
    const { template, hash } = this.#parts.files
    const title = this.#parts.look.title ?? this.#parts.pipeline
    const values: Readonly<Record<string, string>> = {
      title: escapeHtml(title),
      assets: `${PAGE_FOLDER}${hash}/`,
      // Not ended by `</script>`, nor opened by `<!--`.
      settings: JSON.stringify(this.#settings(title, content, isInGrantFolder)).replaceAll('<', '\\u003c'),
    }
    const text = template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '')
    if (this.#text?.text !== text) {
      this.#text = new PlaylistText(text, createHash('sha256').update(text).digest('hex').slice(0, 16))
    }
    return this.#text
  }

  /** The shape that page/page-settings.ts reads. All paths are relative to the page. */
  #settings(title: string, content: PageContent, isInGrantFolder: boolean): object {
    const { path, hasLong, auth, tracks, siblings } = content
    const { files, look } = this.#parts
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    const playlist = encodeURI(path.slice(folder.length))
    const { logo } = look
    const up = isInGrantFolder ? '../' : ''
    return {
      title,
      playlist,
      source: hasLong ? DVR : playlist,
      poster: files.poster ?? this.#snapshotOf(content, isInGrantFolder),
      logo: logo === undefined ? null : { image: files.logo ?? '', link: logo.link ?? null, position: logo.position },
      tracks: tracks.map(({ media, codec }) => ({ media, codec })),
      links: siblings
        .filter((each) => each.kind === 'stream' && each.path !== path)
        // A grant is good for this output alone; a token in the address of the page may be good for others.
        .filter((each) => isOpenTo(isInGrantFolder ? [] : auth, each.auth))
        .map((each) => ({ label: each.label, href: up + encodeURI(posix.relative(folder, each.path)) })),
    }
  }

  /** The picture of an output `snapshot` of the pipeline, relative to the folder of the files; null without one. */
  #snapshotOf({ path, auth, siblings }: PageContent, isInGrantFolder: boolean): string | null {
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    const open = isInGrantFolder ? [] : auth
    const picture = siblings.find((each) => each.kind === 'picture' && isOpenTo(open, each.auth))
    if (picture === undefined) return null
    const up = isInGrantFolder ? '../' : ''
    return `../../${up}${encodeURI(posix.relative(folder, picture.path))}`
  }
}

/** Who may watch the page may watch the other path too: it is open to all, or to the same viewers. */
function isOpenTo(auth: readonly string[], other: readonly string[]): boolean {
  return other.length === 0 || (auth.length > 0 && auth.every((name) => other.includes(name)))
}

/** CSP level 3. Nothing inline, nothing from elsewhere. */
function policyOf({ embed }: PageLook): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob:",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${["'self'", ...embed].join(' ')}`,
  ].join('; ')
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
