// Calls every service through the ingress with typed clients; prints {service: status} as JSON.
import createClient from "openapi-fetch";
import type { paths as Auth } from "./auth";
import type { paths as Forecast } from "./forecast";
import type { paths as OpenAI } from "./openai";
import type { paths as Rag } from "./rag";
import type { paths as Sentiment } from "./sentiment";
import type { paths as Trending } from "./trending";
import type { paths as Twitter } from "./twitter";

declare const process: { argv: string[] };
const [baseUrl = "", token = ""] = process.argv.slice(2);
const options = { baseUrl, headers: { Authorization: `Bearer ${token}` } };

const me = await createClient<Auth>(options).GET("/v1/auth/me");
const voice = await createClient<Forecast>(options).GET("/v1/forecast/share-of-voice", { params: { query: {} } });
const models = await createClient<OpenAI>(options).GET("/v1/openai/models");
const indexed = await createClient<Rag>(options).GET("/v1/rag/status");
const scored = await createClient<Sentiment>(options).POST("/v1/sentiment/analyze", { body: { texts: ["Qué alegría"], lang: "es" } });
const trends = await createClient<Trending>(options).GET("/v1/trending/status");
const tweets = await createClient<Twitter>(options).GET("/v1/twitter/tweets", { params: { query: { limit: 1 } } });

// Fields of answers are typed: a name that the contract does not have would not compile.
const typed: [string | undefined, number | undefined] = [me.data?.data.email, tweets.data?.data.items.length];
if (typed.includes(undefined)) throw new Error(`not what was expected: ${JSON.stringify([me.error, tweets.error])}`);
const answers = { auth: me, forecast: voice, openai: models, rag: indexed, sentiment: scored, trending: trends, twitter: tweets };
console.log(JSON.stringify(Object.fromEntries(Object.entries(answers).map(([name, { response }]) => [name, response.status]))));
