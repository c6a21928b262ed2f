// Where a verb writes (data to `out`, text for people to `err`), and the environment it reads.

export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface CliStreams {
  readonly out: TextStream
  readonly err: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
}
