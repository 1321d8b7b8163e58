// All services by name. Each loads its protocol only when it is prepared.
import type { ServiceName } from "../commands.ts";
import { echo } from "./echo.ts";
import { http } from "./http.ts";
import { inspector } from "./inspector.ts";
import type { Service } from "./service.ts";
import { smtp } from "./smtp.ts";

export const services: Readonly<Record<ServiceName, Service>> = { echo, http, smtp, inspector };
