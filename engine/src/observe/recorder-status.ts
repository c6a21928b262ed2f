// What the status says of the recorder of an input.
import { z } from 'zod'

const time = z.string().meta({ description: 'RFC 3339', format: 'date-time' })
const file = z.string().meta({ description: 'Absolute' })
const texts = z.array(z.string()).readonly()

export const recorderStatusSchema = z
  .object({
    keepSeconds: z.number().meta({ description: 'Before an event' }),
    afterSeconds: z.number().meta({ description: 'After it' }),
    on: texts.meta({ description: 'What is recorded: disconnect, syncLoss, manual' }),
    heldSeconds: z.number().meta({ description: 'What a recording of now would have' }),
    heldBytes: z.number().meta({ description: 'Memory of it' }),
    isWriting: z.boolean().meta({ description: 'A recording waits for the disk, or is being written' }),
    pending: z
      .exactOptional(z.object({ file, at: time, on: texts }))
      .meta({ description: 'A recording that waits for the seconds after its event, until then' }),
    last: z
      .exactOptional(z.object({ file, at: time, on: texts, bytes: z.number(), seconds: z.number() }))
      .meta({ description: 'The newest recording of this run of the engine' }),
    failure: z
      .exactOptional(z.object({ file, at: time, why: z.string() }))
      .meta({ description: 'Why the last attempt failed; missing if it did not' }),
  })
  .meta({ description: 'Inputs with a recorder: what it keeps, and what it has written' })

export type RecorderStatus = Readonly<z.infer<typeof recorderStatusSchema>>
