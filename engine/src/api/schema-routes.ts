// The route of the JSON Schema of configuration files, for editors and programs: what `engine schema` prints.
import { dirname } from 'node:path'
import process from 'node:process'
import { editorSchema } from '../config/editor-schema.js'
import { pluginRequest } from '../config/plugin-request.js'
import type { OperatedSource } from '../observe/operator.js'
import { offeredBy, readCatalogue } from '../plugin/catalogue.js'
import type { Clock } from '../plugin/tokens.js'
import { JSON_TYPE } from './api-errors.js'
import type { Route } from './route.js'
import { SharedText } from './shared-text.js'

export function schemaRoutes(
  source: Pick<OperatedSource, 'statusBeside'>,
  clock: Pick<Clock, 'nowMs'>,
): readonly Route[] {
  const schema = new SharedText(clock, async () => {
    const { files } = source.statusBeside()
    const { request } = await pluginRequest(files, process.env, dirname(files[0] ?? '.'))
    const catalogue = await readCatalogue(request)
    return JSON.stringify(editorSchema(offeredBy(catalogue).map(({ definition }) => definition)))
  })
  return [
    {
      method: 'GET',
      path: '/api/v1/schema',
      summary:
        'The JSON Schema of configuration files, with the installed plugins, for editors: what `engine schema` prints',
      answers: { 200: { document: 'JSON Schema, draft 07' } },
      async answer({ header }) {
        return { status: 200, ...(await schema.read(header('cache-control'))), type: JSON_TYPE, isTagged: true }
      },
    },
  ]
}
