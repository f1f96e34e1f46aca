export declare function bundle(folder: string): Promise<void>;
