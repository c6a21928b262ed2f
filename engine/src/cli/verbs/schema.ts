// `engine schema`: the JSON Schema of configuration files, for editors.
import { writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.js'
import { addPluginFileOption } from '../plugin-file-option.js'
import type { PluginFileOption } from '../plugin-file-option.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

interface SchemaOptions extends PluginFileOption {
  /** File to write to; by default stdout. */
  readonly write?: string
}

export const schemaVerb = {
  declare(program: Command): Command {
    return addPluginFileOption(program.command('schema'))
      .description('print the JSON Schema of configuration files, including the installed plugins, for editors')
      .option('--write <path>', 'write it to a file, and print the line that refers editors to it')
  },
  /** A broken plugin is left out and reported on stderr. */
  async run({ streams, folder }: Pick<VerbContext, 'streams' | 'folder'>, { write, file }: SchemaOptions) {
    const { showCatalogue } = await import('../show-catalogue.js')
    const { editorLine, editorSchema } = await import('../../config/editor-schema.js')
    const { offeredBy } = await import('../../plugin/catalogue.js')
    const catalogue = await showCatalogue(streams, { file, folder }, { run: 'describe' })
    const definitions = offeredBy(catalogue).map(({ definition }) => definition)
    const text = renderJsonText(editorSchema(definitions))
    if (write === undefined) {
      streams.out.write(text)
      return EXIT.ok
    }
    const path = resolve(folder, write)
    await writeFile(path, text)
    streams.err.write(`Wrote ${write}. Put this line at the top of the YAML files that use it:\n`)
    const from = file === undefined ? folder : dirname(resolve(folder, file))
    streams.out.write(`${editorLine(pathFrom(from, path))}\n`)
    return EXIT.ok
  },
} satisfies Verb

/** Editors resolve a relative path against the folder of the YAML file, and it must look like a path. */
function pathFrom(folder: string, path: string): string {
  const short = relative(folder, path)
  return isAbsolute(short) || short.startsWith('.') ? short : `./${short}`
}
