// Acts as an editor towards yaml-language-server: the Language Server Protocol over stdio, as far as needed to complete
// and check one file. https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { REPOSITORY_ROOT } from './repository-root.js'

const require = createRequire(import.meta.url)
const SERVER = join(REPOSITORY_ROOT, 'node_modules/yaml-language-server/bin/yaml-language-server')
const TIMEOUT_MS = 60_000

export interface EditorDiagnostic {
  readonly message: string
  /** From 0. */
  readonly line: number
}

interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

export class LanguageClient implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #gone: Promise<void>
  readonly #answers = new Map<number, (message: Message) => void>()
  readonly #published = new Map<string, (diagnostics: readonly EditorDiagnostic[]) => void>()
  #received = Buffer.alloc(0)
  #lastId = 0

  private constructor() {
    this.#child = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#child.stdout?.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#gone = new Promise((resolve) => this.#child.once('close', () => resolve()))
  }

  static async start(): Promise<LanguageClient> {
    const client = new LanguageClient()
    await client.#ask('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        textDocument: { publishDiagnostics: {}, completion: { completionItem: { snippetSupport: false } } },
      },
    })
    client.#tell('initialized', {})
    return client
  }

  /** The version of yaml-language-server. */
  static version(): string {
    const { version } = require('yaml-language-server/package.json') as { version: string }
    return version
  }

  /** Opens a file with this text, and resolves with its diagnostics. */
  open(path: string, text: string): Promise<readonly EditorDiagnostic[]> {
    const uri = pathToFileURL(path).href
    const published = new Promise<readonly EditorDiagnostic[]>((resolve) => this.#published.set(uri, resolve))
    this.#tell('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } })
    return inTime(published, `diagnostics of ${path}`)
  }

  /** Labels of the completions at a position; line and character from 0. */
  async complete(path: string, line: number, character: number): Promise<readonly string[]> {
    const textDocument = { uri: pathToFileURL(path).href }
    const { result } = await this.#ask('textDocument/completion', { textDocument, position: { line, character } })
    const list = Array.isArray(result) ? result : ((result as { items?: unknown[] } | null)?.items ?? [])
    return (list as readonly { readonly label: string }[]).map(({ label }) => label)
  }

  /** The hover text at a position. */
  async hover(path: string, line: number, character: number): Promise<string> {
    const textDocument = { uri: pathToFileURL(path).href }
    const { result } = await this.#ask('textDocument/hover', { textDocument, position: { line, character } })
    return JSON.stringify((result as { contents?: unknown } | null)?.contents ?? '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  #ask(method: string, params: unknown): Promise<Message> {
    this.#lastId += 1
    const id = this.#lastId
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve))
    this.#send({ id, method, params })
    return inTime(answer, method)
  }

  #tell(method: string, params: unknown): void {
    this.#send({ method, params })
  }

  #send(message: object): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#child.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  #receive(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/.exec(this.#received.subarray(0, Math.max(0, end)).toString())?.[1])
      if (end === -1 || this.#received.length < end + 4 + length) return
      const body = this.#received.subarray(end + 4, end + 4 + length).toString()
      this.#received = this.#received.subarray(end + 4 + length)
      this.#handle(JSON.parse(body) as Message)
    }
  }

  #handle(message: Message): void {
    const { id, method, params } = message
    if (method === undefined) {
      if (typeof id === 'number') this.#answers.get(id)?.(message)
      return
    }
    if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as {
        readonly uri: string
        readonly diagnostics: readonly {
          readonly message: string
          readonly range: { readonly start: { readonly line: number } }
        }[]
      }
      this.#published.get(uri)?.(
        diagnostics.map(({ message: text, range }) => ({ message: text, line: range.start.line })),
      )
    }
    // The server asks for settings (all default), for registrations, and for content that does not exist.
    if (id !== undefined) this.#send({ id, result: method === 'workspace/configuration' ? [] : null })
  }
}

function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`yaml-language-server does not answer: ${what}`)), TIMEOUT_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
