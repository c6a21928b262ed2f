// The files behind the page: its style, its modules, hls.js, images. They lie in a folder whose name is a hash of them
// all, so that caches may keep them for ever and relative imports between them work. None of them is secret.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { PageLook } from './page-options.js'
import { loadOnce } from './load-once.js'
import { readPageImage } from './page-image.js'
import { renderTheme } from './page-theme.js'

const TYPES: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
}
const ZIPPED = new Set(['.css', '.js', '.svg'])
/** The sources of the page, and its compiled modules: this file is in `dist/serve/page`. */
const SOURCES = new URL('../../../page/', import.meta.url)
const MODULES = new URL('../../page/', import.meta.url)
const HASH_CHARACTERS = 16

const zip = promisify(gzip)

export class PageFile {
  readonly type: string
  readonly bytes: Buffer
  /** Of the bytes. */
  readonly digest: string
  readonly #isZippable: boolean
  #zipped: Promise<Buffer> | undefined

  constructor(name: string, bytes: Buffer) {
    const extension = extname(name).toLowerCase()
    this.type = TYPES[extension] ?? 'application/octet-stream'
    this.bytes = bytes
    this.digest = createHash('sha256').update(bytes).digest('hex')
    this.#isZippable = ZIPPED.has(extension)
  }

  /** Zipped once, when it is first asked for; undefined if that would not make it smaller. */
  get zipped(): Promise<Buffer> | undefined {
    if (!this.#isZippable) return undefined
    this.#zipped ??= zip(this.bytes)
    return this.#zipped
  }
}

export interface PageFiles {
  /** The text of the page, with `{{names}}` to fill in. */
  readonly template: string
  /** Changes with any of the files. */
  readonly hash: string
  readonly byName: ReadonlyMap<string, PageFile>
  readonly poster: string | undefined
  readonly logo: string | undefined
}

interface PlayerFiles {
  readonly template: string
  readonly byName: ReadonlyMap<string, PageFile>
}

/**
 * Read once for all outputs: a megabyte that is part of this package, and stays the same while the process runs.
 */
const playerFiles = loadOnce(readPlayerFiles)

/** Throws HLS_PAGE_IMAGE. */
export async function readPageFiles({ color, poster, logo }: PageLook): Promise<PageFiles> {
  const { template, byName } = await playerFiles()
  const posterName = poster === undefined ? undefined : `poster${extname(poster).toLowerCase()}`
  const logoName = logo === undefined ? undefined : `logo${extname(logo.image).toLowerCase()}`
  const all = new Map(byName)
  const add = (name: string, bytes: Buffer): void => void all.set(name, new PageFile(name, bytes))
  add('theme.css', Buffer.from(renderTheme(color)))
  if (poster !== undefined && posterName !== undefined) add(posterName, await readPageImage(poster))
  if (logo !== undefined && logoName !== undefined) add(logoName, await readPageImage(logo.image))
  return { template, hash: hashOf(all), byName: all, poster: posterName, logo: logoName }
}

async function readPlayerFiles(): Promise<PlayerFiles> {
  const urls = new Map([
    ['hls.js', new URL(import.meta.resolve('hls.js/dist/hls.min.mjs'))],
    ['hls-worker.js', new URL(import.meta.resolve('hls.js/dist/hls.worker.js'))],
    ...['player.css', 'icon.svg'].map((name) => [name, new URL(name, SOURCES)] as const),
    ...(await listModules()).map((name) => [name, new URL(name, MODULES)] as const),
  ])
  const files = Array.from(urls, async ([name, url]) => [name, new PageFile(name, await readFile(url))] as const)
  return {
    template: await readFile(new URL('player.html', SOURCES), 'utf8'),
    byName: new Map(await Promise.all(files)),
  }
}

async function listModules(): Promise<readonly string[]> {
  return (await readdir(MODULES)).filter((name) => name.endsWith('.js')).sort()
}

function hashOf(files: ReadonlyMap<string, PageFile>): string {
  const hash = createHash('sha256')
  for (const [name, { digest }] of files) hash.update(`${name} ${digest}\n`)
  return hash.digest('hex').slice(0, HASH_CHARACTERS)
}
