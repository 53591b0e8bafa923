// The HTTP API as a module, for applications that run it beside other things
export { ApiModule } from './api.module.js';
export { createHttpApp, serve, type HttpOptions } from './http.js';
export { apiKeyOf, bindAddress, type Address } from './bind.js';
