import { get } from '../endpoint.ts';

/** What is the same for every app. */
export const catalogEndpoints = {
  health: get('/health', { title: 'Tell that the agent answers', needs: 'nothing' }),
  dynoSizes: get('/dyno-sizes', { title: 'List dyno sizes', needs: 'user' }),
  stacks: get('/stacks', { title: 'List stacks', needs: 'user' }),
  regions: get('/regions', { title: 'List regions', needs: 'user' }),
};
