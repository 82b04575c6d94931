import { get } from '../endpoint.ts';

export const schemaEndpoints = {
  hyperSchema: get('/schema', { title: 'Read what this API takes, as JSON Hyper-Schema', needs: 'user' }),
  openApi: get('/openapi.json', { title: 'Read what this API takes, as OpenAPI', needs: 'user' }),
};
