export interface paths {
    "/v1/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Messages of an actor by state: those that have not ended in the order in which they will start, those that ended newest first; with q, and for keys of one tenant, in any queue, those sent last first */
        get: operations["listMessages"];
        put?: never;
        /** Send a message */
        post: operations["sendMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages:ask": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a message and wait for the reply; 504 when none came in time, 422 when it died */
        post: operations["askMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A message: state, attempts, timings */
        get: operations["getMessage"];
        put?: never;
        post?: never;
        /** Cancel a message that has not ended */
        delete: operations["cancelMessage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages:batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send up to 1,000 messages, all or none; as application/x-ndjson the body is a message per line */
        post: operations["sendMessages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/topics/{topic}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Publish an event: a copy for each that receives it, all or none */
        post: operations["publishEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/topics/{topic}:ask": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Publish an event and gather the replies of those that receive it, until there are enough or the time is up */
        post: operations["askEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/hooks/{source}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a webhook, signed after Standard Webhooks, and publish it as an event */
        post: operations["takeWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Stored routes, by id; their order says in which one they are looked at */
        get: operations["listRoutes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A stored route */
        get: operations["getRoute"];
        /** Make a route, or change it; events published from then on go by it. What was shown of one can be sent back */
        put: operations["putRoute"];
        post?: never;
        /** Remove a route; its history stays */
        delete: operations["deleteRoute"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The latest changes of a route, newest first, also of one that was removed */
        get: operations["listRouteChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes:test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Where an event would be led now; nothing is stored */
        post: operations["testRoutes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Actors that subscribe to events, by name, whether they run or not */
        get: operations["listSubscriptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/subscriptions/{actor}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an actor subscribes to */
        get: operations["getSubscriptions"];
        put?: never;
        post?: never;
        /** End what an actor subscribes to that is gone for good; what it was sent stays in its queue. One that runs subscribes again, within ten seconds in another process, and misses what is published meanwhile; one of this process is refused */
        delete: operations["deleteSubscriptions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Dead letters, newest first */
        get: operations["listDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters:groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Dead letters by what they died of, the most frequent first; of those it could look at in two seconds or so */
        get: operations["groupDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A dead letter */
        get: operations["getDeadLetter"];
        put?: never;
        post?: never;
        /** Remove a dead letter for good */
        delete: operations["discardDeadLetter"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters/{id}/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a dead letter back into its queue, with all attempts available again; with other data, if given */
        post: operations["redriveDeadLetter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters:redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put dead letters back into their queues, the oldest of those that match first; those of a key keep their order */
        post: operations["redriveDeadLetters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All actors */
        get: operations["listActors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors/{actor}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An actor */
        get: operations["getActor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors/{actor}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let an actor take no more messages, in all processes, or change the reason; what is sent to it is kept, turns in work go on */
        post: operations["pauseActor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors/{actor}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a paused actor go on; one that is not paused stays as it is */
        post: operations["resumeActor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors/{actor}/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Keys in whose mailboxes messages stand: the longest waiting, or the fullest, first */
        get: operations["listKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors/{actor}/keys/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A key: its committed state, its mailbox, and why it is quarantined */
        get: operations["getKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors/{actor}/keys/{key}/journal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What turns of a key have left in its journal, newest first */
        get: operations["getJournal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actors/{actor}/keys/{key}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a quarantined key go on, with the message that stopped it first */
        post: operations["releaseKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Schedules, by id */
        get: operations["listSchedules"];
        put?: never;
        /** Make a schedule */
        post: operations["createSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A schedule */
        get: operations["getSchedule"];
        /** Make a schedule, or change it; occurrences that are due still come. What was shown of one can be sent back */
        put: operations["putSchedule"];
        post?: never;
        /** Remove a schedule and its history; runs in work go on */
        delete: operations["deleteSchedule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules:preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a schedule would do; nothing is stored */
        post: operations["previewSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a schedule from starting runs, or change reason and end of its pause; its occurrences are recorded as paused */
        post: operations["pauseSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a paused schedule go on; one that is not paused stays as it is */
        post: operations["resumeSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a run now, a paused schedule's too; 409 when a run in work does not let it */
        post: operations["triggerSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/backfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run the occurrences of a range of time, whether they have run or not */
        post: operations["backfillSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What has become of the occurrences and the runs of a schedule, newest first */
        get: operations["listScheduleRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{id}/next": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The next occurrences of a schedule, as many as it has left */
        get: operations["listScheduleNext"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rooms/{room}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say something in a room; answers its number there, 504 when that did not come in time */
        post: operations["postChat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rooms/{room}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is in a room, and what was said: the latest, or the first behind a message */
        get: operations["getRoom"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rooms/{room}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is new in a room, as server-sent events that go on where a client was */
        get: operations["followRoom"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rooms/{room}/socket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Follow a room over a WebSocket, and say things there, in the name of user */
        get: operations["openRoomSocket"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Pipelines, by name */
        get: operations["listPipelines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/{pipeline}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A pipeline: cursor, lag, rows, rate, errors */
        get: operations["getPipeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/{pipeline}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How its runs ended, pauses and resets, newest first; scheduled runs that found nothing are not there */
        get: operations["listPipelineHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/{pipeline}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a run; 409 when the pipeline is paused */
        post: operations["runPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/{pipeline}/backfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Read a part of the source again, or all of it; the cursor of the pipeline stays where it is */
        post: operations["backfillPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/{pipeline}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop after the page in work, or change the reason */
        post: operations["pausePipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/{pipeline}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let it go on where it stopped; one that is not paused stays as it is */
        post: operations["resumePipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/{pipeline}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End what is in work and waits, and move the cursor */
        post: operations["resetPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who asks, and what that may do */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All API keys that were not revoked */
        get: operations["listApiKeys"];
        put?: never;
        /** Make an API key, which may no more than who makes it */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An API key */
        get: operations["getApiKey"];
        put?: never;
        post?: never;
        /** Revoke an API key; within a second no process takes it any more */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give an API key another secret; the one of before holds a while longer */
        post: operations["rotateApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who changed what, newest first; of the newest 100,000 changes */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happens now, in all processes, as server-sent events; what was before is not told */
        get: operations["followEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/activity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Throughput, latency and failures over time, of the last hour at most */
        get: operations["getActivity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process runs */
        get: operations["getLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether messages are handled: a turn of the actor `canary` is committed */
        get: operations["getReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics: in Prometheus' text format, as OpenMetrics to who accepts that */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Problem: {
            /** @description URN of the kind of problem; ends in the code */
            type: string;
            title: string;
            status: number;
            /** @enum {string} */
            code: "malformed_json" | "forbidden_key" | "malformed_url" | "bad_request" | "unauthorized" | "bad_signature" | "forbidden" | "cross_site" | "not_found" | "unknown_source" | "method_not_allowed" | "request_timeout" | "idempotency_conflict" | "key_changed" | "message_active" | "message_ended" | "schedule_exists" | "declared_schedule" | "run_skipped" | "pipeline_paused" | "precondition_failed" | "too_large" | "uri_too_long" | "unsupported_media_type" | "misdirected" | "invalid_body" | "invalid_query" | "invalid_message" | "invalid_option" | "unknown_message" | "ask_failed" | "cancelled" | "upgrade_required" | "mailbox_full" | "too_many_attempts" | "too_many_requests" | "too_many_api_keys" | "too_many_webhooks" | "too_many_backfills" | "too_many_runs" | "headers_too_large" | "internal" | "identity_provider" | "unreadable" | "not_ready" | "too_many_streams" | "timeout" | "store_full" | "store_unusable" | "unknown_outcome" | "ask_timeout";
            /** @description what is wrong with this request and what to do */
            detail: string;
            /** @description the first ten fields at fault */
            errors?: {
                /** @description the field, `/` separated; empty for the whole */
                path: string;
                message: string;
            }[];
        };
        Message: {
            id: string;
            type: string;
            /** @description who handles it: of an event, whose copy it is */
            actor: string;
            /** @description its name on the board */
            job: string;
            /**
             * @description parked: behind another message of its key, or its key is quarantined
             * @enum {string}
             */
            state: "waiting" | "delayed" | "parked" | "active" | "done" | "dead" | "cancelled";
            /** @description under which it was published, when that is not its type */
            topic?: string;
            /** @description which instance of the actor it is for */
            key?: string;
            /** @description of the data's shape */
            version: number;
            /** @description 1 is served first */
            priority: number;
            /** @description without secrets */
            data: {
                [key: string]: unknown;
            };
            /** @description why data is shown as it is stored: it is encrypted, and cannot be decrypted here */
            unreadable?: string;
            headers: {
                [key: string]: string;
            };
            tenant?: string;
            /** @description first message of the chain; absent when it is this one */
            correlationId?: string;
            /** @description the message whose turn sent this one */
            causationId?: string;
            /** @description the trace in which it was sent */
            traceId?: string;
            /** @description what its handler answered */
            reply?: unknown;
            /** @description messages that its turn sent; absent: none, or it is not done */
            effects?: {
                total: number;
                /** @description of the first twenty those that the asker may see; what has ended long ago may be gone */
                items: {
                    id: string;
                    actor: string;
                }[];
            };
            /** Format: date-time */
            sentAt: string;
            /**
             * Format: date-time
             * @description not before this
             */
            dueAt?: string;
            /**
             * Format: date-time
             * @description not started after this
             */
            deadline?: string;
            /**
             * Format: date-time
             * @description start of the latest attempt
             */
            startedAt?: string;
            /** Format: date-time */
            finishedAt?: string;
            /** @description failed attempts, oldest first, at most the last 50 */
            attempts: {
                attempt: number;
                /** Format: date-time */
                startedAt: string;
                /** Format: date-time */
                finishedAt: string;
                error: {
                    name: string;
                    message: string;
                    code?: string;
                    stack?: string;
                };
            }[];
            /** @description of a message that failed and has not ended: how often it is tried at most from now on, an attempt in work included; absent when its last failure quarantined its key */
            attemptsLeft?: number;
            /**
             * Format: date-time
             * @description of a delayed message: when it is to start, the first time or again; absent when it was handed back or postponed
             */
            nextAttemptAt?: string;
            /**
             * @description why it is dead
             * @enum {string}
             */
            reason?: "exhausted" | "rejected" | "invalid" | "unhandled" | "expired" | "crashed" | "quarantined";
            /** @description the last failure of a message that is not done */
            error?: string;
            /** @description how often it was redriven */
            redrives: number;
            /** @description from when it could be handled to its first start */
            waitMs?: number;
            /** @description from when it could be handled to its end, waits between attempts and before a redrive included */
            latencyMs?: number;
        };
        ApiKeyCreation: {
            /** @description for people: who uses it */
            name: string;
            /**
             * @description viewer sees, operator sends and steers, admin changes what there is
             * @enum {string}
             */
            role: "viewer" | "operator" | "admin";
            /** @description of what the role permits only these; default: all */
            permissions?: ("messages:read" | "messages:send" | "messages:cancel" | "dead-letters:read" | "dead-letters:redrive" | "dead-letters:discard" | "actors:read" | "actors:inspect" | "actors:operate" | "routes:read" | "routes:write" | "schedules:read" | "schedules:operate" | "schedules:write" | "rooms:read" | "rooms:post" | "sync:read" | "sync:operate" | "sync:reset" | "board:read" | "board:operate" | "board:write" | "metrics:read" | "api-keys:read" | "api-keys:write" | "audit:read")[];
            /** @description sees and sends only what is of this tenant; default: of all */
            tenant?: string;
            /** @description how long it holds: milliseconds, or a string such as '90d', at most '365d' */
            expiresIn?: number | string;
        };
        ApiKeyRotation: {
            /** @description how long the secret of before still holds; default '1h', at most '7d' */
            overlap?: number | string;
        };
        ApiKey: {
            id: string;
            name: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "admin";
            /** @description absent: all that the role permits */
            permissions?: ("messages:read" | "messages:send" | "messages:cancel" | "dead-letters:read" | "dead-letters:redrive" | "dead-letters:discard" | "actors:read" | "actors:inspect" | "actors:operate" | "routes:read" | "routes:write" | "schedules:read" | "schedules:operate" | "schedules:write" | "rooms:read" | "rooms:post" | "sync:read" | "sync:operate" | "sync:reset" | "board:read" | "board:operate" | "board:write" | "metrics:read" | "api-keys:read" | "api-keys:write" | "audit:read")[];
            /** @description absent: all tenants */
            tenant?: string;
            /** Format: date-time */
            createdAt: string;
            /** @description who made it */
            createdBy: string;
            /**
             * Format: date-time
             * @description absent: it holds until it is revoked
             */
            expiresAt?: string;
            /** Format: date-time */
            rotatedAt?: string;
            /**
             * Format: date-time
             * @description until when the secret of before its rotation holds
             */
            previousUntil?: string;
        };
        ApiKeyList: {
            items: components["schemas"]["ApiKey"][];
        };
        NewApiKey: {
            id: string;
            name: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "admin";
            /** @description absent: all that the role permits */
            permissions?: ("messages:read" | "messages:send" | "messages:cancel" | "dead-letters:read" | "dead-letters:redrive" | "dead-letters:discard" | "actors:read" | "actors:inspect" | "actors:operate" | "routes:read" | "routes:write" | "schedules:read" | "schedules:operate" | "schedules:write" | "rooms:read" | "rooms:post" | "sync:read" | "sync:operate" | "sync:reset" | "board:read" | "board:operate" | "board:write" | "metrics:read" | "api-keys:read" | "api-keys:write" | "audit:read")[];
            /** @description absent: all tenants */
            tenant?: string;
            /** Format: date-time */
            createdAt: string;
            /** @description who made it */
            createdBy: string;
            /**
             * Format: date-time
             * @description absent: it holds until it is revoked
             */
            expiresAt?: string;
            /** Format: date-time */
            rotatedAt?: string;
            /**
             * Format: date-time
             * @description until when the secret of before its rotation holds
             */
            previousUntil?: string;
            /** @description what to present; it is shown this once */
            key: string;
        };
        Me: {
            /** @description as in the audit log */
            id: string;
            name: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "admin";
            /** @description all that may be done */
            permissions: ("messages:read" | "messages:send" | "messages:cancel" | "dead-letters:read" | "dead-letters:redrive" | "dead-letters:discard" | "actors:read" | "actors:inspect" | "actors:operate" | "routes:read" | "routes:write" | "schedules:read" | "schedules:operate" | "schedules:write" | "rooms:read" | "rooms:post" | "sync:read" | "sync:operate" | "sync:reset" | "board:read" | "board:operate" | "board:write" | "metrics:read" | "api-keys:read" | "api-keys:write" | "audit:read")[];
            /** @description absent: all tenants */
            tenant?: string;
        };
        Percentiles: {
            p50: number;
            p95: number;
            p99: number;
        };
        Actor: {
            name: string;
            messages: {
                type: string;
                version: number;
                /** @description the field of the data that says for which instance it is; absent: none */
                key?: string;
                /** @description of the data; absent when the schema library offers none */
                jsonSchema?: {
                    [key: string]: unknown;
                };
                /** @description of what the handler answers; absent also when the message declares no reply */
                replyJsonSchema?: {
                    [key: string]: unknown;
                };
            }[];
            counts: {
                waiting: number;
                delayed: number;
                active: number;
                /** @description those still kept */
                done: number;
                dead: number;
            };
            /** @description keys that are stopped until somebody releases them */
            quarantined: number;
            /** @description when somebody has paused it, in all processes */
            paused?: {
                /** Format: date-time */
                since: string;
                reason: string;
            };
            /** @description T = N / t: messages handled per second in the last minute */
            throughput: number;
            /** @description L = t - t0: milliseconds from ready to handled */
            latency?: components["schemas"]["Percentiles"];
            /** @description the part of L before the start */
            wait?: components["schemas"]["Percentiles"];
            /** @description the part of L in the handler */
            run?: components["schemas"]["Percentiles"];
            /** @description how many recent messages the figures are made from */
            sample: number;
        };
        ActorList: {
            items: components["schemas"]["Actor"][];
        };
        ActorPause: {
            /** @description 1 to 500 characters */
            reason: string;
        };
        KeyList: {
            items: {
                key: string;
                /** @description messages in its mailbox, the one in work included */
                depth: number;
                /**
                 * Format: date-time
                 * @description when the first of them could first be handled
                 */
                since: string;
                /** @description nothing of it is given out until it is released */
                quarantined: boolean;
            }[];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        Key: {
            key: string;
            /** @description messages in its mailbox, the one in work included */
            depth: number;
            /**
             * Format: date-time
             * @description when the first of them could first be handled
             */
            since?: string;
            /** @description what the last turn committed; absent when none has left a state */
            state?: {
                /** @description as the turn left it, without what its actor declares secret */
                data: unknown;
                /** @description how often it was committed */
                revision: number;
                /** @description of the state's shape */
                version: number;
                /** @description why data is encrypted still: it cannot be decrypted here */
                unreadable?: string;
            };
            /** @description the failure that stopped it; absent when it is not quarantined */
            quarantine?: {
                /** Format: date-time */
                since: string;
                /** @description the message that stopped it, by its name on the board */
                job: string;
                attempt: number;
                /** Format: date-time */
                startedAt: string;
                /** Format: date-time */
                finishedAt: string;
                error: {
                    name: string;
                    message: string;
                    code?: string;
                    stack?: string;
                };
            };
        };
        Journal: {
            items: {
                id: string;
                /**
                 * Format: date-time
                 * @description when its turn was committed
                 */
                at: string;
                /** @description as it is stored, without what its actor declares secret */
                row: {
                    [key: string]: unknown;
                };
            }[];
            /** @description `before` of the next page; absent when this is the last */
            next?: string;
        };
        Released: {
            key: string;
            /** @constant */
            state: "released";
        };
        AuditPage: {
            items: {
                /**
                 * Format: date-time
                 * @description when it was asked for
                 */
                at: string;
                /** @description api-key:<id>, token:<subject>, environment or local */
                who: string;
                /** @description of who asked, then */
                name: string;
                /** @description method and route */
                call: string;
                /** @description what it was about */
                path: string;
                /** @description of the answer; absent: the process ended before it was known */
                status?: number;
                /** @description why, as the header X-Reason or the body said */
                reason?: string;
                /** @description what the body asked for */
                asked?: {
                    [key: string]: unknown;
                };
                /** @description what of it became otherwise, as it was; absent: it was not there, or is not shown */
                before?: {
                    [key: string]: unknown;
                };
                /** @description the same, as it is now */
                after?: {
                    [key: string]: unknown;
                };
                /** @description fields that were too large to keep */
                omitted?: string[];
                id: string;
                /** @description what was done, in a word: create, change, pause, redrive */
                action: string;
                /** @description to what, as its path below /v1: schedules/weekly */
                target: string;
                /** @description why nothing is said but when: it is encrypted, and cannot be decrypted here */
                unreadable?: string;
            }[];
            /** @description `before` of the next page, which may be empty; absent when this is the last */
            next?: string;
        };
        Telling: {
            /** @constant */
            type: "greeter.greet";
            data: components["schemas"]["greeter.greet"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description not before this: milliseconds, or a string such as '10s' */
            delay?: number | string;
            /**
             * Format: date-time
             * @description not before this moment, at most a year ahead
             */
            at?: string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description takes the place of the message with this id, if that is not in work */
            replace?: boolean;
        } | {
            /** @constant */
            type: "shelf.keep";
            data: components["schemas"]["shelf.keep"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description not before this: milliseconds, or a string such as '10s' */
            delay?: number | string;
            /**
             * Format: date-time
             * @description not before this moment, at most a year ahead
             */
            at?: string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description takes the place of the message with this id, if that is not in work */
            replace?: boolean;
        };
        Batch: {
            messages: components["schemas"]["Telling"][];
        };
        Asking: {
            /** @constant */
            type: "greeter.greet";
            data: components["schemas"]["greeter.greet"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description how long to wait; default '10s', at most '25s' */
            timeout?: number | string;
        } | {
            /** @constant */
            type: "shelf.keep";
            data: components["schemas"]["shelf.keep"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description how long to wait; default '10s', at most '25s' */
            timeout?: number | string;
        };
        Answer: {
            id: string;
            /** @description absent when the message declares none */
            reply?: unknown;
        };
        Cancelled: {
            id: string;
            /**
             * @description cancelling: it is in work, and told to stop; it may still end otherwise
             * @enum {string}
             */
            state: "cancelled" | "cancelling";
        };
        Receipt: {
            id: string;
            /** @enum {string} */
            state: "waiting" | "delayed";
            /**
             * @description what the stored message survives
             * @enum {string}
             */
            durability: "power-safe" | "process-safe" | "memory";
        };
        Receipts: {
            messages: components["schemas"]["Receipt"][];
        };
        ChatPosting: {
            /** @description who says it, 1 to 64 characters */
            author: string;
            /** @description 1 to 2,000 characters, which take at most 3,500 bytes as JSON */
            text: string;
            /** @description idempotency key */
            id?: string;
        };
        ChatPosted: {
            /** @description of the message to the actor: its idempotency key */
            id: string;
            room: string;
            /** @description its number in the room */
            seq: number;
            /** Format: date-time */
            at: string;
        };
        Room: {
            room: string;
            /** @description number of its last message; 0 when there is none */
            seq: number;
            /** @description who is connected, sorted */
            members: string[];
            /** @description oldest first; the last 500 of a room are kept */
            items: {
                seq: number;
                author: string;
                text: string;
                /** Format: date-time */
                at: string;
            }[];
        };
        /** @description events: room (first: seq and members), message, gap (after, next: what lies between is not kept any more), members */
        RoomEvents: string;
        DeadLetter: {
            id: string;
            type: string;
            /** @description who handles it: of an event, whose copy it is */
            actor: string;
            /** @description its name on the board */
            job: string;
            /**
             * @description parked: behind another message of its key, or its key is quarantined
             * @enum {string}
             */
            state: "waiting" | "delayed" | "parked" | "active" | "done" | "dead" | "cancelled";
            /** @description under which it was published, when that is not its type */
            topic?: string;
            /** @description which instance of the actor it is for */
            key?: string;
            /** @description of the data's shape */
            version: number;
            /** @description 1 is served first */
            priority: number;
            /** @description without secrets */
            data: {
                [key: string]: unknown;
            };
            /** @description why data is shown as it is stored: it is encrypted, and cannot be decrypted here */
            unreadable?: string;
            headers: {
                [key: string]: string;
            };
            tenant?: string;
            /** @description first message of the chain; absent when it is this one */
            correlationId?: string;
            /** @description the message whose turn sent this one */
            causationId?: string;
            /** @description the trace in which it was sent */
            traceId?: string;
            /** @description what its handler answered */
            reply?: unknown;
            /** @description messages that its turn sent; absent: none, or it is not done */
            effects?: {
                total: number;
                /** @description of the first twenty those that the asker may see; what has ended long ago may be gone */
                items: {
                    id: string;
                    actor: string;
                }[];
            };
            /** Format: date-time */
            sentAt: string;
            /**
             * Format: date-time
             * @description not before this
             */
            dueAt?: string;
            /**
             * Format: date-time
             * @description not started after this
             */
            deadline?: string;
            /**
             * Format: date-time
             * @description start of the latest attempt
             */
            startedAt?: string;
            /** Format: date-time */
            finishedAt?: string;
            /** @description failed attempts, oldest first, at most the last 50 */
            attempts: {
                attempt: number;
                /** Format: date-time */
                startedAt: string;
                /** Format: date-time */
                finishedAt: string;
                error: {
                    name: string;
                    message: string;
                    code?: string;
                    stack?: string;
                };
            }[];
            /** @description of a message that failed and has not ended: how often it is tried at most from now on, an attempt in work included; absent when its last failure quarantined its key */
            attemptsLeft?: number;
            /**
             * Format: date-time
             * @description of a delayed message: when it is to start, the first time or again; absent when it was handed back or postponed
             */
            nextAttemptAt?: string;
            /**
             * @description why it is dead
             * @enum {string}
             */
            reason?: "exhausted" | "rejected" | "invalid" | "unhandled" | "expired" | "crashed" | "quarantined";
            /** @description the last failure of a message that is not done */
            error?: string;
            /** @description how often it was redriven */
            redrives: number;
            /** @description from when it could be handled to its first start */
            waitMs?: number;
            /** @description from when it could be handled to its end, waits between attempts and before a redrive included */
            latencyMs?: number;
            /** @description the same for letters that died of the same trouble */
            fingerprint: string;
        };
        DeadLetterGroups: {
            items: {
                fingerprint: string;
                count: number;
                actor: string;
                type: string;
                /**
                 * @description why it is dead
                 * @enum {string}
                 */
                reason?: "exhausted" | "rejected" | "invalid" | "unhandled" | "expired" | "crashed" | "quarantined";
                /** @description of the newest */
                error?: {
                    name: string;
                    message: string;
                    code?: string;
                };
                /**
                 * Format: date-time
                 * @description when the oldest died
                 */
                first: string;
                /**
                 * Format: date-time
                 * @description when the newest died
                 */
                last: string;
                /** @description of the newest, at most five */
                ids: string[];
            }[];
            /** @description whether all letters were looked at: it looks for two seconds or so, at the newest first, 50,000 at most */
            complete: boolean;
            /**
             * Format: date-time
             * @description when not all were: those that died before were not looked at, nor counted
             */
            since?: string;
        };
        Redrive: {
            /** @description takes the place of its data */
            data?: {
                [key: string]: unknown;
            };
        };
        RedriveMany: {
            actor?: string;
            type?: string;
            /**
             * @description why it is dead
             * @enum {string}
             */
            reason?: "exhausted" | "rejected" | "invalid" | "unhandled" | "expired" | "crashed" | "quarantined";
            /** @description the same for letters that died of the same trouble */
            fingerprint?: string;
            /** @description name or code of the error of the last attempt */
            error?: string;
            /**
             * Format: date-time
             * @description died before this moment
             */
            before?: string;
            /** @description at most this many, the oldest; default 100 */
            limit?: number;
            /** @description only count; default false */
            dryRun?: boolean;
        };
        RedrivenMany: {
            /**
             * @description counted: a dry run
             * @enum {string}
             */
            state: "redriven" | "counted";
            /** @description how many were redriven; of a dry run, how many would be */
            count: number;
            /** @description how many matched, of the 50,000 newest at most */
            matched: number;
            /** @description whether some that match may still be there: ask again */
            more: boolean;
        };
        DeadLetterList: {
            items: components["schemas"]["DeadLetter"][];
            /** @description cursor of the next page; absent on the last. A page may have few items, even none, and a next one */
            next?: string;
        };
        Redriven: {
            id: string;
            /** @constant */
            state: "waiting";
        };
        Discarded: {
            id: string;
            /** @constant */
            state: "discarded";
        };
        /** @description one after the other, each as `event:` and `data:`, without `id:` */
        Events: {
            /** @constant */
            event: "hello";
            data: {
                /**
                 * Format: date-time
                 * @description what time it is here
                 */
                at: string;
                /** @description name and version of the store */
                store: string;
                /** @description what follows */
                kinds: ("activity" | "dead-letter" | "key" | "actor" | "schedule" | "pipeline" | "audit")[];
            };
        } | {
            /** @constant */
            event: "activity";
            data: {
                /** Format: date-time */
                at: string;
                /** @description how long that took */
                seconds: number;
                actors: {
                    actor: string;
                    /** @description messages handled */
                    done: number;
                    /** @description attempts that failed, the last ones of dead letters included */
                    failed: number;
                    /** @description messages given up */
                    dead: number;
                    /** @description messages sent to it */
                    sent: number;
                    /** @description L = t - t0: milliseconds from ready to handled */
                    latency?: components["schemas"]["Percentiles"];
                    /** @description where they have changed */
                    counts?: {
                        waiting: number;
                        delayed: number;
                        active: number;
                        /** @description those still kept */
                        done: number;
                        dead: number;
                    };
                }[];
            };
        } | {
            /** @constant */
            event: "dead-letter";
            data: {
                /** Format: date-time */
                at: string;
                id: string;
                actor: string;
                type: string;
                key?: string;
                reason: string;
                attempts: number;
                /** @description its name */
                error: string;
                /** @description the same for letters that died of the same trouble */
                fingerprint: string;
            };
        } | {
            /** @constant */
            event: "key";
            data: {
                /** Format: date-time */
                at: string;
                /** @enum {string} */
                what: "quarantined" | "released";
                actor: string;
                key: string;
                /** @description of the message that stopped it */
                id?: string;
                type?: string;
                /** @description its name */
                error?: string;
            };
        } | {
            /** @constant */
            event: "actor";
            data: {
                /** Format: date-time */
                at: string;
                /**
                 * @description paused and resumed by somebody; tripped, in one process, by an error
                 * @enum {string}
                 */
                what: "paused" | "resumed" | "tripped" | "recovered";
                actor: string;
                /** @description why it is paused */
                reason?: string;
                /** @description for how long it has tripped */
                ms?: number;
            };
        } | {
            /** @constant */
            event: "schedule";
            data: {
                /** Format: date-time */
                at: string;
                /** @enum {string} */
                what: "created" | "changed" | "removed" | "paused" | "resumed" | "missed" | "late" | "failing" | "dead" | "healed";
                schedule: string;
                /**
                 * Format: date-time
                 * @description of the first occurrence that is meant
                 */
                nominal?: string;
                /** @description how many occurrences are meant; absent: one */
                count?: number;
            };
        } | {
            /** @constant */
            event: "pipeline";
            data: {
                /** Format: date-time */
                at: string;
                /**
                 * @description done, failed, stopped: a run has ended
                 * @enum {string}
                 */
                what: "done" | "failed" | "stopped" | "paused" | "resumed" | "reset";
                pipeline: string;
                run?: string;
                /** @description why the run began */
                reason?: string;
                rows?: number;
                bad?: number;
                errors?: number;
            };
        } | {
            /** @constant */
            event: "audit";
            data: {
                /**
                 * Format: date-time
                 * @description when it was kept
                 */
                at: string;
                who: string;
                name: string;
                call: string;
                path: string;
                status?: number;
            };
        } | {
            /** @constant */
            event: "left-out";
            data: {
                /** Format: date-time */
                at: string;
                /** @enum {string} */
                kind: "activity" | "dead-letter" | "key" | "actor" | "schedule" | "pipeline" | "audit";
                /** @description so many of a kind in one process, within a second, are not told */
                count: number;
            };
        };
        Activity: {
            /**
             * Format: date-time
             * @description when this process began to look: what was before is not here
             */
            since: string;
            /**
             * Format: date-time
             * @description when the first step begins
             */
            from: string;
            /** @description seconds */
            step: number;
            /** @description how many there are, all of them over */
            steps: number;
            /** @description of all actors */
            total: {
                /** @description T = N / t: messages handled per second */
                throughput: number[];
                /** @description attempts that failed, the last ones of dead letters included */
                failed: number[];
                /** @description messages given up */
                dead: number[];
                /** @description messages sent */
                sent: number[];
                /** @description L = t - t0 in milliseconds, within 5 %; null: nothing was handled */
                p50: (number | null)[];
                p95: (number | null)[];
                p99: (number | null)[];
            };
            /** @description those with whom something happened, by name; at most 100 of a step */
            actors: {
                /** @description T = N / t: messages handled per second */
                throughput: number[];
                /** @description attempts that failed, the last ones of dead letters included */
                failed: number[];
                /** @description messages given up */
                dead: number[];
                /** @description messages sent */
                sent: number[];
                /** @description L = t - t0 in milliseconds, within 5 %; null: nothing was handled */
                p50: (number | null)[];
                p95: (number | null)[];
                p99: (number | null)[];
                actor: string;
            }[];
        };
        Live: {
            /** @constant */
            status: "live";
        };
        Ready: {
            /** @constant */
            status: "ready";
            /** @description how long a turn took, from sent to answered */
            turnMs: number;
            store: {
                name: string;
                /** @enum {string} */
                durability: "power-safe" | "process-safe" | "memory";
            };
        };
        HookBody: {
            /** @description what happened; the topic ends in it when it is made of words with dots between */
            type?: string;
        } & {
            [key: string]: unknown;
        };
        HookTaken: {
            /** @description of the event: the source and its webhook-id */
            id: string;
            /** @description under which the event was published */
            topic: string;
        };
        MessageList: {
            items: components["schemas"]["Message"][];
            /** @description cursor of the next page, which may be empty; absent on the last */
            next?: string;
        };
        /** @description Prometheus' text format: counters and histograms of this process, gauges of the queues */
        Metrics: string;
        Receiver: string | {
            /** @description 1 to 20 names of actors */
            oneOf: string[];
            /**
             * @description load: the one with the fewest messages; hash: always the same for a key, or without one for a topic
             * @enum {string}
             */
            by: "load" | "hash";
        };
        RoutePut: {
            /** @description that of the URL */
            id?: string;
            /** @description whole; lower ones are looked at first, equal ones by id */
            order: number;
            /** @description all that is given must match; {} is every event */
            match: {
                type?: string;
                /** @description a pattern: * stands for one word, ** for any number of words */
                topic?: string;
                /** @description each must be there with this value */
                headers?: {
                    [key: string]: string;
                };
                /** @description from the one to the other, both included; 1 is served first */
                priority?: {
                    /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                    min?: number | string;
                    /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                    max?: number | string;
                };
                tenant?: string;
                /** @description an expression of CEL over type, topic, data, headers, priority, tenant and time: data.total > 100 && headers.region == 'eu' */
                when?: string;
            };
            /** @description who gets a copy; at most 20 */
            to: components["schemas"]["Receiver"][];
            /** @description what is said anew in the copies */
            set?: {
                /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                priority?: number | string;
                /** @description milliseconds, or a string such as '10s'; beside the event's own */
                delay?: number | string;
                headers?: {
                    [key: string]: string;
                };
            };
            /** @description no route behind it is looked at when it matches; subscriptions still are */
            last?: boolean;
            disabled?: boolean;
            /** @description as it is shown; changes nothing */
            revision?: unknown;
            /** @description as it is shown; changes nothing */
            changedAt?: unknown;
        };
        RouteTesting: {
            /** @constant */
            type: "greeter.greet";
            data: components["schemas"]["greeter.greet"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description default: the type */
            topic?: string;
            /** @description as if it were stored, in place of the one with its id */
            route?: {
                /** @description that of the URL */
                id: string;
                /** @description whole; lower ones are looked at first, equal ones by id */
                order: number;
                /** @description all that is given must match; {} is every event */
                match: {
                    type?: string;
                    /** @description a pattern: * stands for one word, ** for any number of words */
                    topic?: string;
                    /** @description each must be there with this value */
                    headers?: {
                        [key: string]: string;
                    };
                    /** @description from the one to the other, both included; 1 is served first */
                    priority?: {
                        /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                        min?: number | string;
                        /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                        max?: number | string;
                    };
                    tenant?: string;
                    /** @description an expression of CEL over type, topic, data, headers, priority, tenant and time: data.total > 100 && headers.region == 'eu' */
                    when?: string;
                };
                /** @description who gets a copy; at most 20 */
                to: components["schemas"]["Receiver"][];
                /** @description what is said anew in the copies */
                set?: {
                    /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                    priority?: number | string;
                    /** @description milliseconds, or a string such as '10s'; beside the event's own */
                    delay?: number | string;
                    headers?: {
                        [key: string]: string;
                    };
                };
                /** @description no route behind it is looked at when it matches; subscriptions still are */
                last?: boolean;
                disabled?: boolean;
                /** @description as it is shown; changes nothing */
                revision?: unknown;
                /** @description as it is shown; changes nothing */
                changedAt?: unknown;
            };
        } | {
            /** @constant */
            type: "shelf.keep";
            data: components["schemas"]["shelf.keep"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description default: the type */
            topic?: string;
            /** @description as if it were stored, in place of the one with its id */
            route?: {
                /** @description that of the URL */
                id: string;
                /** @description whole; lower ones are looked at first, equal ones by id */
                order: number;
                /** @description all that is given must match; {} is every event */
                match: {
                    type?: string;
                    /** @description a pattern: * stands for one word, ** for any number of words */
                    topic?: string;
                    /** @description each must be there with this value */
                    headers?: {
                        [key: string]: string;
                    };
                    /** @description from the one to the other, both included; 1 is served first */
                    priority?: {
                        /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                        min?: number | string;
                        /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                        max?: number | string;
                    };
                    tenant?: string;
                    /** @description an expression of CEL over type, topic, data, headers, priority, tenant and time: data.total > 100 && headers.region == 'eu' */
                    when?: string;
                };
                /** @description who gets a copy; at most 20 */
                to: components["schemas"]["Receiver"][];
                /** @description what is said anew in the copies */
                set?: {
                    /** @description critical, high, normal, low, or a whole number from 1, served first, to 2097152 */
                    priority?: number | string;
                    /** @description milliseconds, or a string such as '10s'; beside the event's own */
                    delay?: number | string;
                    headers?: {
                        [key: string]: string;
                    };
                };
                /** @description no route behind it is looked at when it matches; subscriptions still are */
                last?: boolean;
                disabled?: boolean;
                /** @description as it is shown; changes nothing */
                revision?: unknown;
                /** @description as it is shown; changes nothing */
                changedAt?: unknown;
            };
        };
        Route: {
            id: string;
            /** @description whole; lower ones are looked at first, equal ones by id */
            order: number;
            /** @description all that is given must match; {} is every event */
            match: {
                type?: string;
                /** @description a pattern: * stands for one word, ** for any number of words */
                topic?: string;
                /** @description each must be there with this value */
                headers?: {
                    [key: string]: string;
                };
                /** @description from the one to the other, both included; 1 is served first */
                priority?: {
                    /** @description 1 is served first */
                    min?: number;
                    /** @description 1 is served first */
                    max?: number;
                };
                tenant?: string;
                /** @description an expression of CEL over type, topic, data, headers, priority, tenant and time: data.total > 100 && headers.region == 'eu' */
                when?: string;
            };
            /** @description who gets a copy; at most 20 */
            to: components["schemas"]["Receiver"][];
            /** @description what is said anew in the copies */
            set?: {
                /** @description 1 is served first */
                priority?: number;
                /** @description milliseconds */
                delay?: number;
                headers?: {
                    [key: string]: string;
                };
            };
            /** @description no route behind it is looked at when it matches; subscriptions still are */
            last?: boolean;
            disabled?: boolean;
            /** @description 1 for a new one; counted up by every change, a removal too */
            revision: number;
            /** Format: date-time */
            changedAt: string;
        };
        StoredRoute: {
            id: string;
            /** @description whole; lower ones are looked at first, equal ones by id */
            order: number;
            /** @description all that is given must match; {} is every event */
            match: {
                type?: string;
                /** @description a pattern: * stands for one word, ** for any number of words */
                topic?: string;
                /** @description each must be there with this value */
                headers?: {
                    [key: string]: string;
                };
                /** @description from the one to the other, both included; 1 is served first */
                priority?: {
                    /** @description 1 is served first */
                    min?: number;
                    /** @description 1 is served first */
                    max?: number;
                };
                tenant?: string;
                /** @description an expression of CEL over type, topic, data, headers, priority, tenant and time: data.total > 100 && headers.region == 'eu' */
                when?: string;
            };
            /** @description who gets a copy; at most 20 */
            to: components["schemas"]["Receiver"][];
            /** @description what is said anew in the copies */
            set?: {
                /** @description 1 is served first */
                priority?: number;
                /** @description milliseconds */
                delay?: number;
                headers?: {
                    [key: string]: string;
                };
            };
            /** @description no route behind it is looked at when it matches; subscriptions still are */
            last?: boolean;
            disabled?: boolean;
            /** @description 1 for a new one; counted up by every change, a removal too */
            revision: number;
            /** Format: date-time */
            changedAt: string;
            /** @enum {string} */
            outcome: "created" | "changed" | "unchanged";
        };
        RouteList: {
            items: components["schemas"]["Route"][];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        RouteHistory: {
            items: {
                /** Format: date-time */
                at: string;
                /** @enum {string} */
                change: "created" | "changed" | "removed";
                /** @description 1 for a new one; counted up by every change, a removal too */
                revision: number;
                /** @description who made it, when that is known */
                by?: string;
                reason?: string;
                /** @description as it was after the change; absent: it was removed */
                route?: {
                    id: string;
                    /** @description whole; lower ones are looked at first, equal ones by id */
                    order: number;
                    /** @description all that is given must match; {} is every event */
                    match: {
                        type?: string;
                        /** @description a pattern: * stands for one word, ** for any number of words */
                        topic?: string;
                        /** @description each must be there with this value */
                        headers?: {
                            [key: string]: string;
                        };
                        /** @description from the one to the other, both included; 1 is served first */
                        priority?: {
                            /** @description 1 is served first */
                            min?: number;
                            /** @description 1 is served first */
                            max?: number;
                        };
                        tenant?: string;
                        /** @description an expression of CEL over type, topic, data, headers, priority, tenant and time: data.total > 100 && headers.region == 'eu' */
                        when?: string;
                    };
                    /** @description who gets a copy; at most 20 */
                    to: components["schemas"]["Receiver"][];
                    /** @description what is said anew in the copies */
                    set?: {
                        /** @description 1 is served first */
                        priority?: number;
                        /** @description milliseconds */
                        delay?: number;
                        headers?: {
                            [key: string]: string;
                        };
                    };
                    /** @description no route behind it is looked at when it matches; subscriptions still are */
                    last?: boolean;
                    disabled?: boolean;
                };
            }[];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        RouteTested: {
            /** @description who would get a copy, by name, and what would be set on it */
            receivers: {
                actor: string;
                /** @description what is said anew in the copies */
                set?: {
                    /** @description 1 is served first */
                    priority?: number;
                    /** @description milliseconds */
                    delay?: number;
                    headers?: {
                        [key: string]: string;
                    };
                };
            }[];
            /** @description what leads it there, in the order looked at */
            by: {
                receiver: components["schemas"]["Receiver"];
                /** @description actor:<name>, a subscription, or route:<id> */
                by: string;
            }[];
            /** @description filters that could not be asked of this event, and so did not match */
            failed: {
                owner: string;
                error: string;
            }[];
            /** @description what stands in the store and is left out, as it is not of this version */
            problems: {
                owner: string;
                error: string;
            }[];
        };
        Subscriber: {
            actor: string;
            /** @description an event that matches any of them reaches it, once; all that is given must match */
            subscriptions: {
                /** @description of events */
                type?: string;
                /** @description a pattern: * is any word, ** any number of words */
                topic?: string;
                /** @description a filter, in CEL */
                when?: string;
            }[];
            /** @description why what is stored cannot be read here: then no event reaches it */
            problem?: string;
        };
        SubscriberList: {
            items: components["schemas"]["Subscriber"][];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        Calendar: {
            /** @description with hours, both must hold */
            days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            /** @description 09:00-17:30; the first minute belongs to it, the last not */
            hours?: string | string[];
            /** @description 2026-12-24, 12-25 or 2026-12-24/2027-01-02 */
            dates?: string | string[];
            /** @description text of an iCalendar file */
            ics?: string;
        };
        Schedule: {
            id: string;
            message: {
                type: string;
                /** @description of the data's shape */
                version: number;
                /** @description secrets are masked; absent when the message is not known here, so that nobody can tell what in it is secret */
                data?: {
                    [key: string]: unknown;
                };
            };
            /** @description a pattern of five fields or six (second first), or several; one of four kinds */
            cron?: string | string[];
            /** @description milliseconds, or a string such as '10m'; one of four kinds */
            every?: number | string;
            /** @description a time or several, as start; one of four kinds */
            at?: string | string[];
            /** @description RFC 5545; one of four kinds */
            rrule?: string;
            /** @description with every: how much later than aligned */
            phase?: number | string;
            /** @description IANA name or offset in which times are read; default UTC */
            tz?: string;
            /**
             * @description what happens when the clocks change; default once
             * @enum {string}
             */
            dst?: "once" | "skip" | "shift" | "each";
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            start?: string;
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            end?: string;
            /** @description how many occurrences there are */
            limit?: number;
            /** @description only occurrences that one of these has */
            include?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /** @description no occurrence that one of these has */
            exclude?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /**
             * @description default drop
             * @enum {string}
             */
            onExcluded?: "drop" | "next-day";
            /** @description spreads schedules over it, each always by the same part; also as 10% */
            window?: number | string;
            /** @description runs each occurrence later by up to this */
            jitter?: number | string;
            /** @description what H, window and jitter are drawn from; default the id */
            seed?: string;
            /**
             * @description what becomes of an occurrence while a run is in work; default skip
             * @enum {string}
             */
            overlap?: "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "terminate-other" | "allow";
            /** @description which of the occurrences run that were missed; default latest */
            catchUp?: ("none" | "latest" | "all") | {
                last: number;
            } | {
                within: number | string;
            };
            /** @description how late one may be before catchUp decides about it; default '1m' */
            grace?: number | string;
            /** @description the longest a run may take, retries included */
            timeout?: number | string;
            /** @description pauses after so many failed runs in a row */
            pauseAfter?: number;
            /** @description of the messages it sends: critical, high, normal (default), low, or a number */
            priority?: number | string;
            /** @description at most 20 */
            tags?: string[];
            /** @description at most 500 characters */
            description?: string;
            /** @description its rule as a sentence */
            text: string;
            /** @description the actor in whose code it is declared; absent: it was made here */
            owner?: string;
            /**
             * @description finished: no occurrence is left; broken: the next one cannot be computed, see problem
             * @enum {string}
             */
            state: "active" | "paused" | "finished" | "broken";
            /**
             * Format: date-time
             * @description next nominal time
             */
            next?: string;
            /** @description the run that ended last */
            last?: {
                /** Format: date-time */
                nominal: string;
                /** @enum {string} */
                outcome: "succeeded" | "failed" | "cancelled" | "terminated" | "timed-out" | "unknown";
                /** Format: date-time */
                finishedAt: string;
                error?: {
                    name: string;
                    message: string;
                };
                /** @description what its handler answered, up to 4 KiB */
                result?: unknown;
            };
            /** @description runs in work; each is the message with this id */
            running: {
                id: string;
                /** Format: date-time */
                nominal: string;
                /** @enum {string} */
                reason: "scheduled" | "catch-up" | "manual" | "backfill";
                /** Format: date-time */
                startedAt: string;
            }[];
            /** @description occurrences that wait for a run to end */
            buffered: number;
            /** @description runs that failed in a row */
            failures: number;
            pause?: {
                /** Format: date-time */
                since: string;
                reason: string;
                /** Format: date-time */
                until?: string;
            };
            /** @description what is wrong with it */
            problem?: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            changedAt: string;
            /** @description grows with every change of what can be edited; its ETag */
            revision: number;
        };
        ScheduleList: {
            items: components["schemas"]["Schedule"][];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        ScheduleRuns: {
            items: ({
                /**
                 * @description a decision about an occurrence, or several
                 * @constant
                 */
                kind: "occurrence";
                /**
                 * Format: date-time
                 * @description when it happened
                 */
                at: string;
                /** Format: date-time */
                nominal: string;
                /**
                 * Format: date-time
                 * @description the last of several that the same was decided about
                 */
                until?: string;
                /** @description how many they are */
                count: number;
                /**
                 * @description fired, late, backfilled, triggered: it runs. skipped: a run was in work. coalesced: a later one runs in its place. missed: nothing was there when it was due
                 * @enum {string}
                 */
                outcome: "fired" | "late" | "skipped" | "coalesced" | "missed" | "paused" | "backfilled" | "triggered";
                /** @description id of the message that runs it */
                run?: string;
                /** @enum {string} */
                reason?: "scheduled" | "catch-up" | "manual" | "backfill";
            } | {
                /**
                 * @description a run has ended
                 * @constant
                 */
                kind: "end";
                /**
                 * Format: date-time
                 * @description when it happened
                 */
                at: string;
                run: string;
                /** Format: date-time */
                nominal: string;
                /** @enum {string} */
                outcome: "succeeded" | "failed" | "cancelled" | "terminated" | "timed-out" | "unknown";
                /**
                 * Format: date-time
                 * @description start of the last attempt
                 */
                startedAt?: string;
                /** @description milliseconds from the nominal time to startedAt */
                drift?: number;
                attempts?: number;
                error?: {
                    name: string;
                    message: string;
                };
            } | {
                /**
                 * @description something else happened
                 * @constant
                 */
                kind: "note";
                /**
                 * Format: date-time
                 * @description when it happened
                 */
                at: string;
                /** @enum {string} */
                what: "created" | "changed" | "paused" | "resumed" | "healed" | "broken";
                detail?: string;
            })[];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        ScheduledMessage: {
            /** @constant */
            type: "greeter.greet";
            data: components["schemas"]["greeter.greet"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
        } | {
            /** @constant */
            type: "shelf.keep";
            data: components["schemas"]["shelf.keep"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
        };
        ScheduleBody: {
            /** @description 1 to 100 letters, digits and ._- */
            id: string;
            message: components["schemas"]["ScheduledMessage"];
            /** @description a pattern of five fields or six (second first), or several; one of four kinds */
            cron?: string | string[];
            /** @description milliseconds, or a string such as '10m'; one of four kinds */
            every?: number | string;
            /** @description a time or several, as start; one of four kinds */
            at?: string | string[];
            /** @description RFC 5545; one of four kinds */
            rrule?: string;
            /** @description with every: how much later than aligned */
            phase?: number | string;
            /** @description IANA name or offset in which times are read; default UTC */
            tz?: string;
            /**
             * @description what happens when the clocks change; default once
             * @enum {string}
             */
            dst?: "once" | "skip" | "shift" | "each";
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            start?: string;
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            end?: string;
            /** @description how many occurrences there are */
            limit?: number;
            /** @description only occurrences that one of these has */
            include?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /** @description no occurrence that one of these has */
            exclude?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /**
             * @description default drop
             * @enum {string}
             */
            onExcluded?: "drop" | "next-day";
            /** @description spreads schedules over it, each always by the same part; also as 10% */
            window?: number | string;
            /** @description runs each occurrence later by up to this */
            jitter?: number | string;
            /** @description what H, window and jitter are drawn from; default the id */
            seed?: string;
            /**
             * @description what becomes of an occurrence while a run is in work; default skip
             * @enum {string}
             */
            overlap?: "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "terminate-other" | "allow";
            /** @description which of the occurrences run that were missed; default latest */
            catchUp?: ("none" | "latest" | "all") | {
                last: number;
            } | {
                within: number | string;
            };
            /** @description how late one may be before catchUp decides about it; default '1m' */
            grace?: number | string;
            /** @description the longest a run may take, retries included */
            timeout?: number | string;
            /** @description pauses after so many failed runs in a row */
            pauseAfter?: number;
            /** @description of the messages it sends: critical, high, normal (default), low, or a number */
            priority?: number | string;
            /** @description at most 20 */
            tags?: string[];
            /** @description at most 500 characters */
            description?: string;
        };
        SchedulePut: {
            /** @description 1 to 100 letters, digits and ._- */
            id?: string;
            message: components["schemas"]["ScheduledMessage"];
            /** @description a pattern of five fields or six (second first), or several; one of four kinds */
            cron?: string | string[];
            /** @description milliseconds, or a string such as '10m'; one of four kinds */
            every?: number | string;
            /** @description a time or several, as start; one of four kinds */
            at?: string | string[];
            /** @description RFC 5545; one of four kinds */
            rrule?: string;
            /** @description with every: how much later than aligned */
            phase?: number | string;
            /** @description IANA name or offset in which times are read; default UTC */
            tz?: string;
            /**
             * @description what happens when the clocks change; default once
             * @enum {string}
             */
            dst?: "once" | "skip" | "shift" | "each";
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            start?: string;
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            end?: string;
            /** @description how many occurrences there are */
            limit?: number;
            /** @description only occurrences that one of these has */
            include?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /** @description no occurrence that one of these has */
            exclude?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /**
             * @description default drop
             * @enum {string}
             */
            onExcluded?: "drop" | "next-day";
            /** @description spreads schedules over it, each always by the same part; also as 10% */
            window?: number | string;
            /** @description runs each occurrence later by up to this */
            jitter?: number | string;
            /** @description what H, window and jitter are drawn from; default the id */
            seed?: string;
            /**
             * @description what becomes of an occurrence while a run is in work; default skip
             * @enum {string}
             */
            overlap?: "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "terminate-other" | "allow";
            /** @description which of the occurrences run that were missed; default latest */
            catchUp?: ("none" | "latest" | "all") | {
                last: number;
            } | {
                within: number | string;
            };
            /** @description how late one may be before catchUp decides about it; default '1m' */
            grace?: number | string;
            /** @description the longest a run may take, retries included */
            timeout?: number | string;
            /** @description pauses after so many failed runs in a row */
            pauseAfter?: number;
            /** @description of the messages it sends: critical, high, normal (default), low, or a number */
            priority?: number | string;
            /** @description at most 20 */
            tags?: string[];
            /** @description at most 500 characters */
            description?: string;
            /** @description as it is shown; changes nothing */
            text?: unknown;
            /** @description as it is shown; changes nothing */
            owner?: unknown;
            /** @description as it is shown; changes nothing */
            state?: unknown;
            /** @description as it is shown; changes nothing */
            next?: unknown;
            /** @description as it is shown; changes nothing */
            last?: unknown;
            /** @description as it is shown; changes nothing */
            running?: unknown;
            /** @description as it is shown; changes nothing */
            buffered?: unknown;
            /** @description as it is shown; changes nothing */
            failures?: unknown;
            /** @description as it is shown; changes nothing */
            pause?: unknown;
            /** @description as it is shown; changes nothing */
            problem?: unknown;
            /** @description as it is shown; changes nothing */
            createdAt?: unknown;
            /** @description as it is shown; changes nothing */
            changedAt?: unknown;
            /** @description as it is shown; changes nothing */
            revision?: unknown;
        };
        SchedulePreview: {
            /** @description 1 to 100 letters, digits and ._- */
            id?: string;
            message?: components["schemas"]["ScheduledMessage"];
            /** @description a pattern of five fields or six (second first), or several; one of four kinds */
            cron?: string | string[];
            /** @description milliseconds, or a string such as '10m'; one of four kinds */
            every?: number | string;
            /** @description a time or several, as start; one of four kinds */
            at?: string | string[];
            /** @description RFC 5545; one of four kinds */
            rrule?: string;
            /** @description with every: how much later than aligned */
            phase?: number | string;
            /** @description IANA name or offset in which times are read; default UTC */
            tz?: string;
            /**
             * @description what happens when the clocks change; default once
             * @enum {string}
             */
            dst?: "once" | "skip" | "shift" | "each";
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            start?: string;
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            end?: string;
            /** @description how many occurrences there are */
            limit?: number;
            /** @description only occurrences that one of these has */
            include?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /** @description no occurrence that one of these has */
            exclude?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /**
             * @description default drop
             * @enum {string}
             */
            onExcluded?: "drop" | "next-day";
            /** @description spreads schedules over it, each always by the same part; also as 10% */
            window?: number | string;
            /** @description runs each occurrence later by up to this */
            jitter?: number | string;
            /** @description what H, window and jitter are drawn from; default the id */
            seed?: string;
            /**
             * @description what becomes of an occurrence while a run is in work; default skip
             * @enum {string}
             */
            overlap?: "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "terminate-other" | "allow";
            /** @description which of the occurrences run that were missed; default latest */
            catchUp?: ("none" | "latest" | "all") | {
                last: number;
            } | {
                within: number | string;
            };
            /** @description how late one may be before catchUp decides about it; default '1m' */
            grace?: number | string;
            /** @description the longest a run may take, retries included */
            timeout?: number | string;
            /** @description pauses after so many failed runs in a row */
            pauseAfter?: number;
            /** @description of the messages it sends: critical, high, normal (default), low, or a number */
            priority?: number | string;
            /** @description at most 20 */
            tags?: string[];
            /** @description at most 500 characters */
            description?: string;
            /**
             * Format: date-time
             * @description occurrences after this; default now
             */
            from?: string;
            /** @description 1 to 100; default 10 */
            count?: number;
        };
        SchedulePause: {
            /** @description 1 to 500 characters */
            reason: string;
            /**
             * Format: date-time
             * @description when it goes on by itself; default when it is resumed
             */
            until?: string;
        };
        ScheduleTrigger: {
            /**
             * @description in place of the schedule's own
             * @enum {string}
             */
            overlap?: "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "terminate-other" | "allow";
        };
        ScheduleBackfill: {
            /**
             * Format: date-time
             * @description occurrences after it
             */
            from: string;
            /**
             * Format: date-time
             * @description up to it, itself included; not in the future
             */
            to: string;
            /** @description side by side; default false, one after the other */
            parallel?: boolean;
            /** @description the same again changes nothing; also as header Idempotency-Key; default from/to */
            id?: string;
            /** @description only counts */
            dryRun?: boolean;
        };
        Preview: {
            /** @description the rule as a sentence */
            text: string;
            /** @description the next, nominal */
            occurrences: {
                /**
                 * Format: date-time
                 * @description in UTC
                 */
                at: string;
                /** @description the wall time of tz with its offset: 2027-03-14 03:00:00 -04:00 */
                local: string;
            }[];
            /** @description what may surprise, one sentence each */
            warnings: string[];
        };
        StoredSchedule: {
            id: string;
            message: {
                type: string;
                /** @description of the data's shape */
                version: number;
                /** @description secrets are masked; absent when the message is not known here, so that nobody can tell what in it is secret */
                data?: {
                    [key: string]: unknown;
                };
            };
            /** @description a pattern of five fields or six (second first), or several; one of four kinds */
            cron?: string | string[];
            /** @description milliseconds, or a string such as '10m'; one of four kinds */
            every?: number | string;
            /** @description a time or several, as start; one of four kinds */
            at?: string | string[];
            /** @description RFC 5545; one of four kinds */
            rrule?: string;
            /** @description with every: how much later than aligned */
            phase?: number | string;
            /** @description IANA name or offset in which times are read; default UTC */
            tz?: string;
            /**
             * @description what happens when the clocks change; default once
             * @enum {string}
             */
            dst?: "once" | "skip" | "shift" | "each";
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            start?: string;
            /** @description ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00 */
            end?: string;
            /** @description how many occurrences there are */
            limit?: number;
            /** @description only occurrences that one of these has */
            include?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /** @description no occurrence that one of these has */
            exclude?: components["schemas"]["Calendar"] | components["schemas"]["Calendar"][];
            /**
             * @description default drop
             * @enum {string}
             */
            onExcluded?: "drop" | "next-day";
            /** @description spreads schedules over it, each always by the same part; also as 10% */
            window?: number | string;
            /** @description runs each occurrence later by up to this */
            jitter?: number | string;
            /** @description what H, window and jitter are drawn from; default the id */
            seed?: string;
            /**
             * @description what becomes of an occurrence while a run is in work; default skip
             * @enum {string}
             */
            overlap?: "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "terminate-other" | "allow";
            /** @description which of the occurrences run that were missed; default latest */
            catchUp?: ("none" | "latest" | "all") | {
                last: number;
            } | {
                within: number | string;
            };
            /** @description how late one may be before catchUp decides about it; default '1m' */
            grace?: number | string;
            /** @description the longest a run may take, retries included */
            timeout?: number | string;
            /** @description pauses after so many failed runs in a row */
            pauseAfter?: number;
            /** @description of the messages it sends: critical, high, normal (default), low, or a number */
            priority?: number | string;
            /** @description at most 20 */
            tags?: string[];
            /** @description at most 500 characters */
            description?: string;
            /** @description its rule as a sentence */
            text: string;
            /** @description the actor in whose code it is declared; absent: it was made here */
            owner?: string;
            /**
             * @description finished: no occurrence is left; broken: the next one cannot be computed, see problem
             * @enum {string}
             */
            state: "active" | "paused" | "finished" | "broken";
            /**
             * Format: date-time
             * @description next nominal time
             */
            next?: string;
            /** @description the run that ended last */
            last?: {
                /** Format: date-time */
                nominal: string;
                /** @enum {string} */
                outcome: "succeeded" | "failed" | "cancelled" | "terminated" | "timed-out" | "unknown";
                /** Format: date-time */
                finishedAt: string;
                error?: {
                    name: string;
                    message: string;
                };
                /** @description what its handler answered, up to 4 KiB */
                result?: unknown;
            };
            /** @description runs in work; each is the message with this id */
            running: {
                id: string;
                /** Format: date-time */
                nominal: string;
                /** @enum {string} */
                reason: "scheduled" | "catch-up" | "manual" | "backfill";
                /** Format: date-time */
                startedAt: string;
            }[];
            /** @description occurrences that wait for a run to end */
            buffered: number;
            /** @description runs that failed in a row */
            failures: number;
            pause?: {
                /** Format: date-time */
                since: string;
                reason: string;
                /** Format: date-time */
                until?: string;
            };
            /** @description what is wrong with it */
            problem?: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            changedAt: string;
            /** @description grows with every change of what can be edited; its ETag */
            revision: number;
            /** @enum {string} */
            outcome: "created" | "changed" | "unchanged";
            /** @description the next, nominal */
            occurrences: {
                /**
                 * Format: date-time
                 * @description in UTC
                 */
                at: string;
                /** @description the wall time of tz with its offset: 2027-03-14 03:00:00 -04:00 */
                local: string;
            }[];
            /** @description what may surprise, one sentence each */
            warnings: string[];
        };
        ScheduleNext: {
            /** @description the next, nominal */
            occurrences: {
                /**
                 * Format: date-time
                 * @description in UTC
                 */
                at: string;
                /** @description the wall time of tz with its offset: 2027-03-14 03:00:00 -04:00 */
                local: string;
            }[];
        };
        ScheduleTriggered: {
            /** @description of the schedule */
            id: string;
            /**
             * @description buffered: it starts when the runs in work have ended
             * @enum {string}
             */
            state: "started" | "buffered";
            /** @description id of the message that runs it, when it has started */
            run?: string;
        };
        ScheduleBackfilled: {
            /** @description of the schedule */
            id: string;
            /**
             * @description known: it was asked for before; counted: a dry run
             * @enum {string}
             */
            state: "begun" | "known" | "counted";
            /** @description occurrences in the range */
            count: number;
        };
        PipelinePause: {
            /** @description 1 to 500 characters */
            reason: string;
        };
        PipelineReset: {
            /** @description where it begins from now on, as its source understands; default null: the beginning */
            cursor?: unknown;
        };
        PipelineBackfill: {
            /** @description cursor at which it begins; default null: the beginning */
            from?: unknown;
            /** @description where it ends, as the source understands; default: at the end of the source */
            until?: unknown;
        };
        Pipeline: {
            name: string;
            /**
             * @description failed: the next run begins at the same cursor
             * @enum {string}
             */
            state: "idle" | "running" | "retrying" | "failed" | "paused";
            /** @description where its next page begins: JSON that its source understands */
            cursor: unknown;
            /** @description rows that were pushed */
            rows: number;
            /** @description rows that became dead letters */
            bad: number;
            pages: number;
            /** @description failed attempts at pages */
            errors: number;
            /**
             * Format: date-time
             * @description up to when its source has been read completely
             */
            syncedTo?: string;
            /** @description milliseconds since then */
            lag?: number;
            /** @description rows a second, over the last 20 pages of the run in work or the last one */
            rate?: number;
            every?: string;
            cron?: string;
            tz?: string;
            /** @description the run in work */
            run?: {
                id: string;
                /** @enum {string} */
                reason: "scheduled" | "manual" | "notified" | "backfill";
                /** @description rows that were pushed */
                rows: number;
                /** @description rows that became dead letters */
                bad: number;
                pages: number;
                /** @description failed attempts at pages */
                errors: number;
                /** Format: date-time */
                startedAt: string;
                /** @description id of the message that is its next page */
                page: string;
            };
            /** @description the run that ended last */
            last?: {
                id: string;
                /** @enum {string} */
                reason: "scheduled" | "manual" | "notified" | "backfill";
                /** @description rows that were pushed */
                rows: number;
                /** @description rows that became dead letters */
                bad: number;
                pages: number;
                /** @description failed attempts at pages */
                errors: number;
                /**
                 * @description failed: its page was given up. stopped: the pipeline was reset, or its page cancelled
                 * @enum {string}
                 */
                outcome: "done" | "failed" | "stopped";
                /** Format: date-time */
                startedAt: string;
                /** Format: date-time */
                finishedAt: string;
                error?: {
                    name: string;
                    message: string;
                };
            };
            /** @description runs that begin when that in work has ended */
            waiting: number;
            pause?: {
                /** Format: date-time */
                at: string;
                reason: string;
            };
            /** @description why its page is tried again, or was given up */
            failure?: {
                attempts: number;
                name: string;
                message: string;
                /** Format: date-time */
                at: string;
            };
        };
        Pipelines: {
            items: components["schemas"]["Pipeline"][];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        PipelineHistory: {
            items: ({
                /**
                 * @description a run has ended
                 * @constant
                 */
                kind: "run";
                /** Format: date-time */
                at: string;
                id: string;
                /** @enum {string} */
                reason: "scheduled" | "manual" | "notified" | "backfill";
                /** @description rows that were pushed */
                rows: number;
                /** @description rows that became dead letters */
                bad: number;
                pages: number;
                /** @description failed attempts at pages */
                errors: number;
                /**
                 * @description failed: its page was given up. stopped: the pipeline was reset, or its page cancelled
                 * @enum {string}
                 */
                outcome: "done" | "failed" | "stopped";
                /** Format: date-time */
                startedAt: string;
                /** Format: date-time */
                finishedAt: string;
                error?: {
                    name: string;
                    message: string;
                };
            } | {
                /**
                 * @description something else happened
                 * @constant
                 */
                kind: "note";
                /** Format: date-time */
                at: string;
                /** @enum {string} */
                what: "paused" | "resumed" | "reset";
                /** @description the reason of a pause, the cursor of a reset */
                detail?: string;
            })[];
            /** @description cursor of the next page; absent on the last */
            next?: string;
        };
        PipelineRun: {
            /** @description of the pipeline */
            id: string;
            /**
             * @description running: one is in work, or waits, that reads whatever is there by now; queued: it waits for another
             * @enum {string}
             */
            state: "started" | "running" | "queued";
            /** @description id of that run */
            run: string;
        };
        Publishing: {
            /** @constant */
            type?: "greeter.greet";
            data: components["schemas"]["greeter.greet"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description not before this: milliseconds, or a string such as '10s' */
            delay?: number | string;
            /**
             * Format: date-time
             * @description not before this moment, at most a year ahead
             */
            at?: string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /**
             * @description when nobody receives it: drop (default), or keep it as a dead letter that can be redriven
             * @enum {string}
             */
            unrouted?: "drop" | "keep";
        } | {
            /** @constant */
            type?: "shelf.keep";
            data: components["schemas"]["shelf.keep"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description not before this: milliseconds, or a string such as '10s' */
            delay?: number | string;
            /**
             * Format: date-time
             * @description not before this moment, at most a year ahead
             */
            at?: string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /**
             * @description when nobody receives it: drop (default), or keep it as a dead letter that can be redriven
             * @enum {string}
             */
            unrouted?: "drop" | "keep";
        };
        Published: {
            /** @description of the event */
            id: string;
            topic: string;
            /** @description actors that get a copy, sorted */
            receivers: string[];
            /** @description ids of the copies, in the same order */
            copies: string[];
            /** @description id of the copy that is kept because nobody receives it */
            kept?: string;
        };
        EventAsking: {
            /** @constant */
            type?: "greeter.greet";
            data: components["schemas"]["greeter.greet"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description how long to wait; default '10s', at most '25s' */
            timeout?: number | string;
            /** @description how many replies are enough: first, all (default), quorum (more than half), or a whole number from 1 */
            need?: string | number;
        } | {
            /** @constant */
            type?: "shelf.keep";
            data: components["schemas"]["shelf.keep"];
            /** @description of the shape that data has; older data is upcast. Default: the one at /v1/actors */
            version?: number;
            /** @description idempotency key, 1 to 200 characters; also as header Idempotency-Key */
            id?: string;
            /** @description critical, high, normal (default), low, or a whole number from 1, served first, to 2097152 */
            priority?: number | string;
            /** @description give up when not started within this time */
            ttl?: number | string;
            /** @description at most 32 */
            headers?: {
                [key: string]: string;
            };
            /** @description on whose behalf, 1 to 200 characters */
            tenant?: string;
            /** @description how long to wait; default '10s', at most '25s' */
            timeout?: number | string;
            /** @description how many replies are enough: first, all (default), quorum (more than half), or a whole number from 1 */
            need?: string | number;
        };
        Gathered: {
            /** @description of the event */
            id: string;
            /** @description as many as were needed have replied */
            isComplete: boolean;
            replies: {
                actor: string;
                reply?: unknown;
            }[];
            /** @description those whose copies became dead letters or were cancelled */
            failures: {
                actor: string;
                error: {
                    /** @description cancelled, or that of what the handler threw, else its name */
                    code: string;
                    message: string;
                };
            }[];
            /** @description handled it and do not reply; they are not counted */
            silent: string[];
            /** @description those that have not answered; their copies go on, and can be asked for again */
            missing: string[];
        };
        "greeter.greet": {
            name: string;
            tags?: unknown[];
        };
        "shelf.keep": {
            [key: string]: unknown;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listMessages: {
        parameters: {
            query?: {
                /** @description must be given without q, but by keys of one tenant */
                actor?: string;
                /** @description `data.<field>:<value>`: messages with that value, or with a list that has it, in a field that their type declares in `search` */
                q?: string;
                /** @description default: all, in the order active, waiting, parked, delayed, dead, done, cancelled */
                state?: "waiting" | "delayed" | "parked" | "active" | "done" | "dead" | "cancelled";
                /** @description with it or a type a call looks at 1,000 messages: items may be few, even none, and next there */
                key?: string;
                type?: string;
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page; what moves meanwhile may be missing, or there twice */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sendMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same as id in the body */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Telling"];
            };
        };
        responses: {
            /** @description stored */
            202: {
                headers: {
                    /** @description the message */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    askMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same as id in the body; asking again with it waits for the same reply */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Asking"];
            };
        };
        responses: {
            /** @description handled */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the message */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it will not start, or is told to stop */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancelled"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sendMessages: {
        parameters: {
            query?: never;
            header?: {
                /** @description each message without an id gets this, a slash and its number from 0; 1 to 190 characters */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Batch"];
                "application/x-ndjson": components["schemas"]["Batch"];
            };
        };
        responses: {
            /** @description all stored */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipts"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    publishEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same as id in the body */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description up to ten words of letters, digits, _ and -, with dots between */
                topic: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Publishing"];
            };
        };
        responses: {
            /** @description stored; when nobody receives it, nothing is, unless unrouted is keep */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Published"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    askEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same as id in the body; asking again with it waits for the same replies */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description up to ten words of letters, digits, _ and -, with dots between */
                topic: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EventAsking"];
            };
        };
        responses: {
            /** @description what has been answered; isComplete says whether it is enough */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gathered"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    takeWebhook: {
        parameters: {
            query?: never;
            header: {
                /** @description v1, and the base64 of the HMAC-SHA256 over id.timestamp.body; several with spaces */
                "webhook-signature": string;
                /** @description when it was sent, seconds since 1970: at most five minutes from the clock here */
                "webhook-timestamp": string;
                /** @description the same each time it is sent */
                "webhook-id": string;
            };
            path: {
                /** @description who sends it: one of those in HOOK_SECRETS */
                source: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HookBody"];
            };
        };
        responses: {
            /** @description stored, now or when it came first; as a dead letter when nobody receives it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HookTaken"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRoutes: {
        parameters: {
            query?: {
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RouteList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRoute: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the route */
            200: {
                headers: {
                    /** @description its revision, for If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Route"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putRoute: {
        parameters: {
            query?: never;
            header?: {
                /** @description why it is changed, for its history; 1 to 200 characters */
                "X-Reason"?: string;
                /** @description * only if there is none of this id, else 412 */
                "If-None-Match"?: string;
                /** @description only if it is as in the answer with this ETag, else 412; * only if there is one */
                "If-Match"?: string;
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoutePut"];
            };
        };
        responses: {
            /** @description changed, or it was so already */
            200: {
                headers: {
                    /** @description its revision, for If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredRoute"];
                };
            };
            /** @description made */
            201: {
                headers: {
                    /** @description its revision, for If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredRoute"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteRoute: {
        parameters: {
            query?: never;
            header?: {
                /** @description why it is changed, for its history; 1 to 200 characters */
                "X-Reason"?: string;
                /** @description only if it is as in the answer with this ETag, else 412; * only if there is one */
                "If-Match"?: string;
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRouteChanges: {
        parameters: {
            query?: {
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RouteHistory"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testRoutes: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RouteTesting"];
            };
        };
        responses: {
            /** @description who would receive it, and why */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RouteTested"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSubscriptions: {
        parameters: {
            query?: {
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriberList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSubscriptions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                actor: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description its subscriptions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subscriber"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSubscriptions: {
        parameters: {
            query?: never;
            header?: {
                /** @description why it is changed, for its history; 1 to 200 characters */
                "X-Reason"?: string;
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                actor: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description no event reaches it any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeadLetters: {
        parameters: {
            query?: {
                actor?: string;
                type?: string;
                /** @description why it is dead */
                reason?: string;
                /** @description the same for letters that died of the same trouble */
                fingerprint?: string;
                /** @description name or code of the error of the last attempt */
                error?: string;
                /** @description died before this moment */
                before?: string;
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    groupDeadLetters: {
        parameters: {
            query?: {
                actor?: string;
                type?: string;
                /** @description why it is dead */
                reason?: string;
                /** @description the same for letters that died of the same trouble */
                fingerprint?: string;
                /** @description name or code of the error of the last attempt */
                error?: string;
                /** @description died before this moment */
                before?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the groups */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterGroups"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the message */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetter"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    discardDeadLetter: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Discarded"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    redriveDeadLetter: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it within a day, the call does nothing and has the same answer; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Redrive"];
            };
        };
        responses: {
            /** @description waiting again */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Redriven"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    redriveDeadLetters: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it within a day, the call does nothing and has the same answer; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RedriveMany"];
            };
        };
        responses: {
            /** @description redriven, or counted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RedrivenMany"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listActors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActorList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getActor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                actor: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the actor */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Actor"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseActor: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                actor: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ActorPause"];
            };
        };
        responses: {
            /** @description the actor */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Actor"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeActor: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                actor: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the actor */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Actor"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: {
                by?: "age" | "depth";
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                actor: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page of the first thousand, as they stand now; what moves meanwhile may be missing, or there twice */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                actor: string;
                /** @description percent-encoded; may have any character, but not be . or .., which clients take out of a path */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the key */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Key"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJournal: {
        parameters: {
            query?: {
                /** @description only rows older than the one with this id: `next` of the page before */
                before?: string;
                limit?: number;
            };
            header?: never;
            path: {
                actor: string;
                /** @description percent-encoded; may have any character, but not be . or .., which clients take out of a path */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journal"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releaseKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it within a day, the call does nothing and has the same answer; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path: {
                actor: string;
                /** @description percent-encoded; may have any character, but not be . or .., which clients take out of a path */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it goes on */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Released"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSchedules: {
        parameters: {
            query?: {
                tag?: string;
                /** @description text in id, description or type of message, whatever the case */
                q?: string;
                state?: "active" | "paused" | "finished" | "broken";
                /** @description those that are broken, and those with runs that failed since one succeeded */
                troubled?: "true";
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it, the same schedule is made once; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleBody"];
            };
        };
        responses: {
            /** @description stored, and its first occurrence is certain */
            201: {
                headers: {
                    /** @description the schedule */
                    Location?: string;
                    /** @description its revision, for If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredSchedule"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the schedule */
            200: {
                headers: {
                    /** @description its revision, for If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description * only if there is none of this id, else 412 */
                "If-None-Match"?: string;
                /** @description only if it is as in the answer with this ETag, else 412; * only if there is one */
                "If-Match"?: string;
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SchedulePut"];
            };
        };
        responses: {
            /** @description changed, or it was so already */
            200: {
                headers: {
                    /** @description its revision, for If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredSchedule"];
                };
            };
            /** @description made */
            201: {
                headers: {
                    /** @description its revision, for If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredSchedule"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description only if it is as in the answer with this ETag, else 412; * only if there is one */
                "If-Match"?: string;
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SchedulePreview"];
            };
        };
        responses: {
            /** @description its next occurrences */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SchedulePause"];
            };
        };
        responses: {
            /** @description the schedule */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the schedule */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggerSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it, it is the same run; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ScheduleTrigger"];
            };
        };
        responses: {
            /** @description started, or it waits for the run in work to end */
            202: {
                headers: {
                    /** @description the run, when it has started */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleTriggered"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    backfillSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same as id in the body */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleBackfill"];
            };
        };
        responses: {
            /** @description counted: a dry run */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleBackfilled"];
                };
            };
            /** @description it is under way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleBackfilled"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listScheduleRuns: {
        parameters: {
            query?: {
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleRuns"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listScheduleNext: {
        parameters: {
            query?: {
                count?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description nominal times */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleNext"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postChat: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same as id in the body; what is said again with it is said once */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description letters, digits, dots, dashes, underscores; one that nobody has used is empty */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatPosting"];
            };
        };
        responses: {
            /** @description said */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatPosted"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRoom: {
        parameters: {
            query?: {
                /** @description only messages behind the one with this number, the first of them */
                after?: number;
                limit?: number;
            };
            header?: never;
            path: {
                /** @description letters, digits, dots, dashes, underscores; one that nobody has used is empty */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the room */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Room"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followRoom: {
        parameters: {
            query?: {
                /** @description the number of the last message one has had; 0: all that is kept. Default: only new ones */
                after?: number;
                /** @description who is there, for the others to see, as long as the connection lasts */
                user?: string;
            };
            header?: {
                /** @description the id of the last event one has had: goes before after */
                "Last-Event-ID"?: string;
            };
            path: {
                /** @description letters, digits, dots, dashes, underscores; one that nobody has used is empty */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a stream that does not end */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["RoomEvents"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openRoomSocket: {
        parameters: {
            query?: {
                /** @description the number of the last message one has had; 0: all that is kept. Default: only new ones */
                after?: number;
                /** @description who is there, for the others to see, as long as the connection lasts */
                user?: string;
            };
            header?: never;
            path: {
                /** @description letters, digits, dots, dashes, underscores; one that nobody has used is empty */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the client says {"type":"post","text":"...","id"?} and is told {"type":"posted"} or {"type":"problem"}; what it is told of the room is as in the events */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPipelines: {
        parameters: {
            query?: {
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
                /** @description those whose page has failed, or was given up */
                troubled?: "true";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipelines"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the pipeline */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPipelineHistory: {
        parameters: {
            query?: {
                limit?: number;
                /** @description `next` of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                pipeline: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelineHistory"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    runPipeline: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it, it is the same run; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path: {
                pipeline: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it runs */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelineRun"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    backfillPipeline: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it, it is the same run; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path: {
                pipeline: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PipelineBackfill"];
            };
        };
        responses: {
            /** @description it runs, or waits */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelineRun"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pausePipeline: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                pipeline: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PipelinePause"];
            };
        };
        responses: {
            /** @description the pipeline */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumePipeline: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                pipeline: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the pipeline */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resetPipeline: {
        parameters: {
            query?: never;
            header?: {
                /** @description asked again with it within a day, the call does nothing and has the same answer; 1 to 200 characters */
                "Idempotency-Key"?: string;
            };
            path: {
                pipeline: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PipelineReset"];
            };
        };
        responses: {
            /** @description the pipeline */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description who asks */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description by id, without their secrets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyList"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description not taken: the answer has a secret that is kept nowhere; when it was lost, rotate the key at once, or revoke it */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiKeyCreation"];
            };
        };
        responses: {
            /** @description made; the key is in the answer, and cannot be had again */
            201: {
                headers: {
                    /** @description the key */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the key, without its secret */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description accepted, and not needed: asked again, the call comes to the same */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description not taken: the answer has a secret that is kept nowhere; when it was lost, rotate the key at once, or revoke it */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ApiKeyRotation"];
            };
        };
        responses: {
            /** @description rotated; the new key is in the answer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description only entries older than the one with this id: `next` of the page before */
                before?: string;
                limit?: number;
                /** @description only what was done so: pause, say. With it, who or target a call looks at 1,000 entries: items may be few, even none, and next there */
                action?: string;
                /** @description a part of the name or of the id of who asked */
                who?: string;
                /** @description only what was done to this: a kind (schedules), an id (weekly), or both (schedules/weekly) */
                target?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followEvents: {
        parameters: {
            query?: {
                /** @description which, with commas between: activity, dead-letter, key, actor, schedule, pipeline, audit. Default: all that one may read */
                kinds?: string;
                /** @description only what is of this actor */
                actor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a stream that does not end */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Events"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getActivity: {
        parameters: {
            query?: {
                /** @description only this actor, beside the total */
                actor?: string;
                /** @description how far back */
                minutes?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description in steps of ten seconds */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Activity"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it does */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Live"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReady: {
        parameters: {
            query?: {
                /** @description not ready when a message that could be handled has waited for longer, such as '10m'; messages of paused actors may */
                oldest?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it was */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description what this process counts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": components["schemas"]["Metrics"];
                    "application/openmetrics-text": components["schemas"]["Metrics"];
                };
            };
            /** @description a problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
