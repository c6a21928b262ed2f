// `engine schema`: the JSON Schema of configuration files, for editors.
import { writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { editorLine, editorSchema } from '../config/editor-schema.js'
import { offeredBy } from '../plugin/catalogue.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { showCatalogue } from './plugin-problems.js'
import type { PluginScope } from './plugin-problems.js'

export interface SchemaOptions extends PluginScope {
  /** File to write to; by default stdout. */
  readonly write?: string | undefined
}

/** Resolves with the exit code. A plugin that is broken is left out, and said on stderr. */
export async function showSchema(streams: CliStreams, options: SchemaOptions): Promise<number> {
  const { write, file, folder } = options
  const catalogue = await showCatalogue(streams, options, { run: 'describe' })
  const definitions = offeredBy(catalogue).map(({ definition }) => definition)
  const text = `${JSON.stringify(editorSchema(definitions), undefined, 2)}\n`
  if (write === undefined) {
    streams.out.write(text)
    return EXIT.ok
  }
  const path = resolve(folder, write)
  await writeFile(path, text)
  streams.err.write(`${write} is written. Put this line at the top of the YAML files that it is for:\n`)
  const from = file === undefined ? folder : dirname(resolve(folder, file))
  streams.out.write(`${editorLine(pathFrom(from, path))}\n`)
  return EXIT.ok
}

/** Editors read a relative path from the folder of the YAML file, and need it to look like a path. */
function pathFrom(folder: string, path: string): string {
  const short = relative(folder, path)
  return isAbsolute(short) || short.startsWith('.') ? short : `./${short}`
}
