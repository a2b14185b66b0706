import { describe, expect, it } from 'vitest'
import { schemaOfProgram } from '../../src/domain/program-schema.ts'

describe('the JSON Schema', () => {
  it('describes every key', () => {
    const undescribed: string[] = []
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return
      for (const [key, inner] of Object.entries(schema)) {
        if (key !== 'properties') visit(inner, `${path}/${key}`)
        else
          for (const [name, property] of Object.entries(inner as Record<string, { description?: string }>)) {
            if (!property.description) undescribed.push(`${path}/${name}`)
            visit(property, `${path}/${name}`)
          }
      }
    }
    visit(schemaOfProgram(), '')
    expect(undescribed).toEqual([])
  })

  it('needs only a name, and takes references for numbers', () => {
    const schema = schemaOfProgram()
    expect(schema.required).toEqual(['program'])
    expect(JSON.stringify(schema)).toContain('{"type":"string","pattern":"^\\\\$\\\\{.*\\\\}$"}')
  })
})
