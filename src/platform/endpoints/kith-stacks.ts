import { get, put } from '../endpoint.ts';

export const stackEndpoints = {
  list: get('/kith/stacks', { title: 'List stack images', needs: 'user' }),
  put: put('/kith/stacks/:arch', { title: 'Upload a stack image', needs: 'admin', status: 201 }),
};
