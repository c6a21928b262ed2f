// The files of the status page: its text, its style, its modules. The modules lie in a folder whose name is a hash of
// them all, so that browsers may keep them and relative imports between them work. None of them is secret.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** The sources, and the compiled modules: this file is in `dist/status-page`. */
const SOURCES = new URL('../../page/', import.meta.url)
const MODULES = new URL('../page/', import.meta.url)
const HASH_CHARACTERS = 16

export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
  /** With its quotes. */
  readonly tag: string
}

export interface PageFiles {
  readonly page: PageFile
  /** The name of the folder of all other files. */
  readonly hash: string
  /** By path in that folder. */
  readonly byPath: ReadonlyMap<string, PageFile>
}

/** Some 100 KB, part of this package. */
export async function readPageFiles(): Promise<PageFiles> {
  const names = [...(await listModules('')), ...(await listModules('model/'))]
  const urls = [
    ...['page.css', 'icon.svg'].map((name) => [name, new URL(name, SOURCES)] as const),
    ...names.map((name) => [name, new URL(name, MODULES)] as const),
  ]
  const read = urls.map(async ([name, url]) => [name, fileOf(name, await readFile(url))] as const)
  const byPath = new Map(await Promise.all(read))
  const hash = createHash('sha256')
  for (const [name, { tag }] of byPath) hash.update(`${name} ${tag}\n`)
  const folder = hash.digest('hex').slice(0, HASH_CHARACTERS)
  const template = await readFile(new URL('index.html', SOURCES), 'utf8')
  const text = Buffer.from(template.replaceAll('{{files}}', `./api/page/${folder}`))
  return { page: { ...fileOf('', text), type: 'text/html; charset=utf-8' }, hash: folder, byPath }
}

async function listModules(folder: string): Promise<readonly string[]> {
  const names = await readdir(new URL(folder, MODULES))
  return names
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => folder + name)
}

function fileOf(name: string, bytes: Buffer): PageFile {
  const tag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`
  return { type: TYPES[extname(name)] ?? 'application/octet-stream', bytes, tag }
}
